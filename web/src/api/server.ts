// The server that the page came from, and no other: every address is made from the page's own, and the policy that
// the server sends with the page forbids the browser the rest. A key, when one is set, lives as long as the tab.
import { readEvents } from './sse';
import { emptyAnswer, joinData, type JoinedAnswer } from './answer';
import { FaultError, faultOf, type Fault } from './faults';
import { machineState, parseMetrics, type MachineState } from './prometheus';

export type Health = 'up' | 'loading' | 'down';

export interface WireCall {
  id: string;
  type: 'function';
  function: { name: string; arguments: string };
}
export interface WireMessage {
  role: 'system' | 'user' | 'assistant' | 'tool';
  content: string;
  reasoning_content?: string;
  tool_calls?: WireCall[];
  tool_call_id?: string;
}
export interface ChatRequest {
  messages: WireMessage[];
  [field: string]: unknown;
}

export interface KeyStore {
  get(): string;
  set(key: string): void;
}

export const sessionKey: KeyStore = {
  get: () => sessionStorage.getItem('inkstone.key') ?? '',
  set: (key) => (key === '' ? sessionStorage.removeItem('inkstone.key') : sessionStorage.setItem('inkstone.key', key)),
};

export class Server {
  constructor(
    private readonly base: string,
    readonly key: KeyStore,
    private readonly fetcher: typeof fetch = (...a) => fetch(...a),
  ) {}

  async models(): Promise<string[]> {
    const response = await this.ask('v1/models');
    const body = (await response.json().catch(() => null)) as { data?: unknown } | null;
    const list = Array.isArray(body?.data) ? (body.data as unknown[]) : [];
    return list
      .map((item) => (typeof item === 'object' && item !== null ? (item as { id?: unknown }).id : undefined))
      .filter((id): id is string => typeof id === 'string');
  }

  async health(): Promise<Health> {
    try {
      const response = await this.fetcher(this.address('health'), { cache: 'no-store' });
      return response.ok ? 'up' : response.status === 503 ? 'loading' : 'up';
    } catch {
      return 'down';
    }
  }

  async machine(): Promise<MachineState> {
    const response = await this.ask('metrics');
    return machineState(parseMetrics(await response.text()));
  }

  // Streams one answer. `onChange` is called after each event with the same, growing object. Ends normally when the
  // answer is whole or `signal` was raised; throws FaultError otherwise, and what had arrived is in `answer`.
  async chat(
    request: ChatRequest,
    signal: AbortSignal,
    onChange: (answer: JoinedAnswer) => void,
    answer: JoinedAnswer = emptyAnswer(),
  ): Promise<JoinedAnswer> {
    const began = performance.now();
    try {
      const response = await this.ask('v1/chat/completions', {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
        body: JSON.stringify({ ...request, stream: true, stream_options: { include_usage: true } }),
        signal,
      });
      if (!response.body) throw new FaultError({ kind: 'broken', detail: '' });
      for await (const event of readEvents(response.body)) {
        joinData(answer, event.data);
        if (answer.pieces + answer.calls.length > 0) answer.figures.firstTokenMs ??= performance.now() - began;
        if (answer.fault) throw new FaultError(answer.fault);
        onChange(answer);
        if (answer.ended) break;
      }
    } catch (error) {
      if (signal.aborted) return answer;
      throw error instanceof FaultError ? error : new FaultError(networkFault(error, answer));
    }
    if (!answer.ended && answer.finish === '' && !signal.aborted) throw new FaultError({ kind: 'broken', detail: '' });
    return answer;
  }

  private address(path: string): string {
    return new URL(path, this.base).href;
  }

  private async ask(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = new Headers(init.headers);
    const key = this.key.get();
    if (key !== '') headers.set('authorization', `Bearer ${key}`);
    let response: Response;
    try {
      response = await this.fetcher(this.address(path), { ...init, headers, cache: 'no-store', redirect: 'error' });
    } catch (error) {
      if (init.signal?.aborted) throw error;
      throw new FaultError({ kind: 'unreachable', detail: '' });
    }
    if (response.ok) return response;
    const text = await response.text().catch(() => '');
    let body: unknown = text;
    try {
      body = JSON.parse(text);
    } catch {
      // a proxy's page: its text is the detail
    }
    throw new FaultError(faultOf(response.status, body, response.headers.get('retry-after')));
  }
}

function networkFault(error: unknown, answer: JoinedAnswer): Fault {
  const begun = answer.pieces > 0 || answer.calls.length > 0;
  return { kind: begun ? 'broken' : 'unreachable', detail: error instanceof Error ? error.message : '' };
}
