// What can go wrong between the page and the server, as a small closed set of kinds: the words for each, and what a
// person can do about it, are in src/words. The server's own sentence is kept beside it, shown as a detail.

export type FaultKind =
  | 'unreachable' // no answer at all: the program is not running, or the network is gone
  | 'key' // a key is needed, or the one given is wrong
  | 'refused' // Host or Origin not allowed
  | 'busy' // no memory or no place right now
  | 'loading' // the model is still being read
  | 'too_long' // the conversation does not fit the model's context
  | 'too_large' // the request's bytes are more than the server takes
  | 'no_model' // the chosen model is not there (any more)
  | 'invalid' // the server found something wrong with the request
  | 'broken' // the answer ended in the middle
  | 'server'; // a fault inside the server

export interface Fault {
  kind: FaultKind;
  detail: string;
  retryAfter?: number; // seconds
}

export class FaultError extends Error {
  constructor(readonly fault: Fault) {
    super(fault.detail || fault.kind);
  }
}

interface ErrorBody {
  message: string;
  type: string;
  code: string;
}

// OpenAI's {"error": {"message", "type", "code"}}, Ollama's {"error": "text"}, or a plain text.
function readBody(body: unknown): ErrorBody {
  const none: ErrorBody = { message: '', type: '', code: '' };
  if (typeof body === 'string') return { ...none, message: body.slice(0, 2000) };
  if (typeof body !== 'object' || body === null) return none;
  const error = (body as Record<string, unknown>)['error'];
  if (typeof error === 'string') return { ...none, message: error };
  if (typeof error !== 'object' || error === null) return none;
  const text = (name: string): string => {
    const value = (error as Record<string, unknown>)[name];
    return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
  };
  return { message: text('message'), type: text('type'), code: text('code') };
}

function kindOf(status: number, error: ErrorBody): FaultKind {
  if (error.code === 'context_length_exceeded' || error.type === 'exceed_context_size_error') return 'too_long';
  if (status === 401) return 'key';
  if (status === 403) return 'refused';
  if (status === 404) return 'no_model';
  if (status === 413) return 'too_large';
  if (status === 429) return 'busy';
  if (status === 503) return /loading/i.test(error.message) ? 'loading' : 'busy';
  if (status >= 500) return 'server';
  return 'invalid';
}

export function faultOf(status: number, body: unknown, retryAfter: string | null = null): Fault {
  const error = readBody(body);
  const fault: Fault = { kind: kindOf(status, error), detail: error.message };
  const seconds = Number(retryAfter);
  if (retryAfter !== null && Number.isFinite(seconds) && seconds > 0) fault.retryAfter = seconds;
  return fault;
}

// An error that arrived inside a stream, after its 200.
export function faultInStream(body: unknown): Fault {
  const error = readBody(body);
  if (error.code === 'context_length_exceeded') return { kind: 'too_long', detail: error.message };
  if (error.type === 'unavailable_error') return { kind: 'busy', detail: error.message };
  if (error.type === 'invalid_request_error') return { kind: 'invalid', detail: error.message };
  return { kind: 'server', detail: error.message };
}
