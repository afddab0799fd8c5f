// Joins the chunks of a streamed chat completion to one answer. Chunks are the server's, but are read as if they were
// a stranger's: every field is checked, and one that is missing or of another type counts as not sent.
import type { Fault } from './faults';
import { faultInStream } from './faults';

export interface Call {
  id: string;
  name: string;
  arguments: string; // JSON, as the model wrote it
}

// Numbers about one answer, from "usage" and llama.cpp's "timings"; what was not sent is not there.
export interface Figures {
  promptTokens?: number;
  cachedTokens?: number; // of the prompt
  completionTokens?: number;
  reasoningTokens?: number; // of the completion
  promptPerSecond?: number;
  tokensPerSecond?: number;
  queuedMs?: number;
  loadMs?: number;
  firstTokenMs?: number; // measured here
  energyJoules?: number;
}

export interface JoinedAnswer {
  text: string;
  thinking: string;
  calls: Call[];
  finish: string; // '' until the server said why it ended
  model: string;
  figures: Figures;
  progress: { done: number; total: number } | null; // of reading the prompt
  pieces: number; // that carried text: about one for each token
  fault: Fault | null;
  ended: boolean; // [DONE] was seen
}

export function emptyAnswer(): JoinedAnswer {
  return {
    text: '',
    thinking: '',
    calls: [],
    finish: '',
    model: '',
    figures: {},
    progress: null,
    pieces: 0,
    fault: null,
    ended: false,
  };
}

type Fields = Record<string, unknown>;
const fieldsOf = (value: unknown): Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {};
const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');
const numberOf = (value: unknown): number | undefined =>
  typeof value === 'number' && Number.isFinite(value) ? value : undefined;
const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);

// One "data:" line. Text that is no JSON is ignored: proxies are known to add lines of their own.
export function joinData(answer: JoinedAnswer, data: string): void {
  if (data.trim() === '[DONE]') {
    answer.ended = true;
    return;
  }
  let parsed: unknown;
  try {
    parsed = JSON.parse(data);
  } catch {
    return;
  }
  const chunk = fieldsOf(parsed);
  if (chunk['error'] !== undefined && chunk['error'] !== null) {
    answer.fault = faultInStream(chunk);
    return;
  }
  answer.model = textOf(chunk['model']) || answer.model;
  const choice = fieldsOf(listOf(chunk['choices'])[0]);
  joinDelta(answer, fieldsOf(choice['delta']));
  answer.finish = textOf(choice['finish_reason']) || answer.finish;
  const progress = fieldsOf(chunk['prompt_progress']);
  const total = numberOf(progress['total']);
  if (total !== undefined && total > 0) answer.progress = { done: numberOf(progress['processed']) ?? 0, total };
  joinFigures(answer.figures, fieldsOf(chunk['usage']), fieldsOf(chunk['timings']));
}

function joinDelta(answer: JoinedAnswer, delta: Fields): void {
  const text = textOf(delta['content']);
  const thinking = textOf(delta['reasoning_content']) || textOf(delta['reasoning']);
  answer.text += text;
  answer.thinking += thinking;
  if (text !== '' || thinking !== '') ++answer.pieces;
  for (const item of listOf(delta['tool_calls'])) {
    const piece = fieldsOf(item);
    const index = numberOf(piece['index']) ?? answer.calls.length;
    if (!Number.isInteger(index) || index < 0 || index > 255) continue;
    while (answer.calls.length <= index) answer.calls.push({ id: '', name: '', arguments: '' });
    const call = answer.calls[index]!;
    const made = fieldsOf(piece['function']);
    call.id ||= textOf(piece['id']);
    call.name ||= textOf(made['name']);
    call.arguments += textOf(made['arguments']);
  }
}

function joinFigures(figures: Figures, usage: Fields, timings: Fields): void {
  const put = (name: keyof Figures, value: unknown): void => {
    const number = numberOf(value);
    if (number !== undefined) figures[name] = number;
  };
  put('promptTokens', usage['prompt_tokens']);
  put('completionTokens', usage['completion_tokens']);
  put('cachedTokens', timings['cache_n']);
  put('cachedTokens', fieldsOf(usage['prompt_tokens_details'])['cached_tokens']);
  put('reasoningTokens', fieldsOf(usage['completion_tokens_details'])['reasoning_tokens']);
  put('promptPerSecond', timings['prompt_per_second']);
  put('tokensPerSecond', timings['predicted_per_second']);
  put('queuedMs', timings['queued_ms']);
  put('loadMs', timings['load_ms']);
  put('energyJoules', timings['energy_joules']);
}
