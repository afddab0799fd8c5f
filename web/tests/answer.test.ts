// Chunks to an answer, the server's refusals to kinds of fault, and its metrics.
import { describe, expect, it } from 'vitest';
import { emptyAnswer, joinData, type JoinedAnswer } from '../src/api/answer';
import { faultOf } from '../src/api/faults';
import { machineState, parseMetrics } from '../src/api/prometheus';
import { Server, type KeyStore } from '../src/api/server';

const join = (...chunks: unknown[]): JoinedAnswer => {
  const answer = emptyAnswer();
  for (const chunk of chunks) joinData(answer, typeof chunk === 'string' ? chunk : JSON.stringify(chunk));
  return answer;
};
const delta = (part: unknown, finish: string | null = null): unknown => ({
  model: 'm',
  choices: [{ index: 0, delta: part, finish_reason: finish }],
});

describe('joining chunks', () => {
  it('joins text, thinking, usage and timings', () => {
    const answer = join(
      delta({ role: 'assistant', content: '' }),
      delta({ reasoning_content: 'hm' }),
      delta({ content: '你' }),
      delta({ content: '好' }),
      delta({}, 'stop'),
      {
        choices: [],
        usage: {
          prompt_tokens: 10,
          completion_tokens: 3,
          prompt_tokens_details: { cached_tokens: 8 },
          completion_tokens_details: { reasoning_tokens: 1 },
        },
        timings: { predicted_per_second: 20.5, prompt_per_second: 300, cache_n: 7 },
      },
      '[DONE]',
    );
    expect(answer).toMatchObject({
      text: '你好',
      thinking: 'hm',
      finish: 'stop',
      model: 'm',
      ended: true,
      pieces: 3,
      fault: null,
    });
    expect(answer.figures).toEqual({
      promptTokens: 10,
      completionTokens: 3,
      cachedTokens: 8,
      reasoningTokens: 1,
      tokensPerSecond: 20.5,
      promptPerSecond: 300,
    });
  });

  it('joins the pieces of several calls by their index', () => {
    const call = (index: number, more: object): unknown => delta({ tool_calls: [{ index, ...more }] });
    const answer = join(
      call(0, { id: 'a', function: { name: 'one', arguments: '' } }),
      call(1, { id: 'b', function: { name: 'two', arguments: '{"y"' } }),
      call(0, { function: { arguments: '{"x":1}' } }),
      call(1, { function: { arguments: ':2}' } }),
    );
    expect(answer.calls).toEqual([
      { id: 'a', name: 'one', arguments: '{"x":1}' },
      { id: 'b', name: 'two', arguments: '{"y":2}' },
    ]);
  });

  it('takes nothing from what is not as it should be', () => {
    const answer = join(
      'no json',
      '[]',
      'null',
      '{"choices":7}',
      { choices: [null] },
      delta({ content: 7, tool_calls: 'x' }),
      delta({ tool_calls: [{ index: -1 }, { index: 1e9 }, { index: 0.5 }] }),
      { usage: { prompt_tokens: 'many' }, timings: [] },
    );
    expect(answer).toEqual({ ...emptyAnswer(), model: 'm' });
  });

  it('keeps a fault that arrives in the stream', () => {
    expect(join({ error: { message: 'no memory', type: 'unavailable_error' } }).fault).toEqual({
      kind: 'busy',
      detail: 'no memory',
    });
  });
});

describe('faults', () => {
  const body = (type: string, code: string | null = null): unknown => ({ error: { message: 'why', type, code } });
  it('have a kind for each status', () => {
    expect(faultOf(400, body('invalid_request_error', 'context_length_exceeded')).kind).toBe('too_long');
    expect(faultOf(400, body('invalid_request_error')).kind).toBe('invalid');
    expect(faultOf(401, body('authentication_error')).kind).toBe('key');
    expect(faultOf(403, body('permission_error')).kind).toBe('refused');
    expect(faultOf(404, body('not_found_error')).kind).toBe('no_model');
    expect(faultOf(413, '').kind).toBe('too_large');
    expect(faultOf(500, '<html>').kind).toBe('server');
    expect(faultOf(503, { error: { message: 'Loading model' } }).kind).toBe('loading');
    expect(faultOf(503, body('unavailable_error'), '12')).toEqual({ kind: 'busy', detail: 'why', retryAfter: 12 });
    expect(faultOf(503, { error: 'text' }, 'soon')).toEqual({ kind: 'busy', detail: 'text' });
  });
});

describe('the server', () => {
  const key: KeyStore = { get: () => 'k', set: () => undefined };
  const server = (response: () => Response | Promise<Response>, seen: [string, RequestInit][] = []): Server =>
    new Server('http://here:1/page/', key, (address, init) => {
      seen.push([String(address), init ?? {}]);
      return Promise.resolve(response());
    });

  it('is asked at the page’s own address, with the key, for a stream with usage', async () => {
    const seen: [string, RequestInit][] = [];
    const answer = await server(
      () => new Response('data: {"choices":[{"delta":{"content":"a"}}]}\n\ndata: [DONE]\n\n'),
      seen,
    ).chat({ messages: [] }, new AbortController().signal, () => undefined);
    expect(answer.text).toBe('a');
    expect(seen[0]![0]).toBe('http://here:1/page/v1/chat/completions');
    expect(new Headers(seen[0]![1].headers).get('authorization')).toBe('Bearer k');
    expect(JSON.parse(String(seen[0]![1].body))).toEqual({
      messages: [],
      stream: true,
      stream_options: { include_usage: true },
    });
  });

  it('says when an answer broke off, when nobody answered, and what the server refused', async () => {
    const chat = (response: () => Response | Promise<Response>): Promise<unknown> =>
      server(response).chat({ messages: [] }, new AbortController().signal, () => undefined);
    await expect(chat(() => new Response('data: {"choices":[{"delta":{"content":"a"}}]}\n\n'))).rejects.toMatchObject({
      fault: { kind: 'broken' },
    });
    await expect(chat(() => Promise.reject(new TypeError('network')))).rejects.toMatchObject({
      fault: { kind: 'unreachable' },
    });
    await expect(
      chat(() => new Response('{"error":{"message":"no","code":"context_length_exceeded"}}', { status: 400 })),
    ).rejects.toMatchObject({ fault: { kind: 'too_long', detail: 'no' } });
  });

  it('lists the models by name, and takes nothing from a strange list', async () => {
    expect(await server(() => Response.json({ data: [{ id: 'a' }, { id: 7 }, null, { id: 'b' }] })).models()).toEqual([
      'a',
      'b',
    ]);
    expect(await server(() => new Response('x')).models()).toEqual([]);
  });
});

describe('metrics', () => {
  it('are read with labels and escapes, and summed over models', () => {
    const text =
      '# HELP x y\n# TYPE x counter\ninkstone_prompt_tokens_total{model="a"} 5\ninkstone_prompt_tokens_total{model="b \\"q\\" \\\\"} 7\n' +
      'inkstone_resident_memory_bytes 1.5e9\nbroken line here now\ninkstone_x_bucket{le="+Inf"} 3 1700000000\nnan_thing NaN\ninkstone_bytes_sent_to_other_hosts_total 0\n';
    const samples = parseMetrics(text);
    expect(samples).toHaveLength(5);
    expect(samples[1]!.labels).toEqual({ model: 'b "q" \\' });
    expect(machineState(samples)).toEqual({ promptTokens: 12, memoryBytes: 1.5e9, sentOutBytes: 0 });
  });
});
