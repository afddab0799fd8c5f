// A server with scripted answers, for working on the page and for its tests: no model, no build of Inkstone needed. It
// speaks what the page uses (chat completions, models, metrics, health) with the same headers, and serves web/dist
// under the same policy. What it answers is chosen by words in the last message:
//   think, table, math, code, tool, long, slow, busy, too long, broken, xss, file: see scripts.mjs, and chat() below.
//   node dev/fake_server.mjs [--port N] [--key KEY]       prints "listening on http://127.0.0.1:N"
import { createServer } from 'node:http';
import { readFile } from 'node:fs/promises';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { scriptFor } from './scripts.mjs';

const kDist = fileURLToPath(new URL('../dist', import.meta.url));
const kPolicy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const kTypes = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
};
const option = (name, otherwise) => {
  const at = process.argv.indexOf(name);
  return at < 0 ? otherwise : process.argv[at + 1];
};
const kKey = option('--key', '');
const counts = { answers: 0, prompt: 0, cached: 0, completion: 0, seconds: 0, running: 0 };

const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const send = (response, status, body, headers = {}) => {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(typeof body === 'string' ? body : JSON.stringify(body));
};
const fault = (response, status, type, message, code = null, headers = {}) =>
  send(response, status, { error: { message, type, param: null, code } }, headers);

// Like a tokenizer would cut: a Chinese character or two, or a word.
const piecesOf = (text) =>
  text.match(/[\u3000-\u9fff\uff00-\uffef]{1,2}|\s*[^\s\u3000-\u9fff\uff00-\uffef]+|\s+/g) ?? [];

async function chat(request, response, body) {
  const { messages, tools, model = 'ink-small', chat_template_kwargs: template = {} } = body;
  const text = String(messages.at(-1).content);
  if (text.includes('busy'))
    return fault(
      response,
      503,
      'unavailable_error',
      'no memory for another conversation: 512 MiB needed, 96 MiB free',
      'unavailable',
      { 'retry-after': '3' },
    );
  if (text.includes('too long'))
    return fault(
      response,
      400,
      'invalid_request_error',
      "This model's maximum context length is 40960 tokens, the messages have 51234.",
      'context_length_exceeded',
    );
  if (!['ink-small', 'ink-large'].includes(model))
    return fault(
      response,
      404,
      'not_found_error',
      `no model '${model}'; there are ink-small, ink-large`,
      'model_not_found',
    );
  const questions = messages.filter((one) => one.role === 'user').length;
  const script = scriptFor(messages, tools) ?? {
    text: `You wrote: “${text.slice(0, 200)}”. 这是第 ${questions} 个问题的回答。`,
  };
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
  let gone = false;
  response.on('close', () => (gone = true));
  const id = `chatcmpl-${++counts.answers}`;
  const chunk = (more) =>
    response.write(
      `data: ${JSON.stringify({ id, object: 'chat.completion.chunk', created: 0, model, choices: [], ...more })}\n\n`,
    );
  const delta = (part, finish = null) => chunk({ choices: [{ index: 0, delta: part, finish_reason: finish }] });
  const began = performance.now();
  ++counts.running;
  delta({ role: 'assistant', content: '' });
  response.write(': ping\n\n');
  const promptTokens = messages.reduce((sum, one) => sum + piecesOf(String(one.content)).length + 4, 0);
  chunk({
    choices: [{ index: 0, delta: {}, finish_reason: null }],
    prompt_progress: { total: promptTokens, processed: promptTokens >> 1, time_ms: 5 },
  });
  let completion = 0;
  const pieces = [];
  if (template.enable_thinking !== false && script.thinking)
    for (const piece of piecesOf(script.thinking)) pieces.push({ reasoning_content: piece });
  const reasoning = pieces.length;
  for (const piece of piecesOf(script.text)) pieces.push({ content: piece });
  for (const [index, call] of (script.calls ?? []).entries()) {
    pieces.push({
      tool_calls: [
        {
          index,
          id: `call_${counts.answers}_${index}`,
          type: 'function',
          function: { name: call.name, arguments: '' },
        },
      ],
    });
    for (const piece of call.arguments.match(/.{1,7}/gs))
      pieces.push({ tool_calls: [{ index, function: { arguments: piece } }] });
  }
  for (const piece of pieces) {
    if (gone) break;
    delta(piece);
    ++completion;
    await wait(script.pause ?? 4);
  }
  const seconds = (performance.now() - began) / 1000;
  const cached = messages.length > 1 ? Math.floor(promptTokens * 0.8) : 0;
  --counts.running;
  counts.prompt += promptTokens;
  counts.cached += cached;
  counts.completion += completion;
  counts.seconds += seconds;
  if (gone) return;
  if (script.broken) return setTimeout(() => response.destroy(), 300); // what was written goes out first
  delta({}, script.calls ? 'tool_calls' : 'stop');
  chunk({
    usage: {
      prompt_tokens: promptTokens,
      completion_tokens: completion,
      total_tokens: promptTokens + completion,
      prompt_tokens_details: { cached_tokens: cached },
      completion_tokens_details: { reasoning_tokens: reasoning },
    },
    timings: {
      cache_n: cached,
      prompt_n: promptTokens - cached,
      prompt_per_second: 412.5,
      predicted_n: completion,
      predicted_per_second: completion / seconds,
    },
  });
  response.end('data: [DONE]\n\n');
}

function metrics() {
  const lines = [
    ['answers_total{model="ink-small"}', counts.answers],
    ['prompt_tokens_total{model="ink-small"}', counts.prompt],
    ['cached_tokens_total{model="ink-small"}', counts.cached],
    ['completion_tokens_total{model="ink-small"}', counts.completion],
    ['generation_seconds_total{model="ink-small"}', counts.seconds],
    ['requests_running', counts.running],
    ['requests_waiting', 0],
    ['resident_memory_bytes', 734003200],
    ['bytes_sent_to_other_hosts_total', 0],
  ];
  return lines.map(([name, value]) => `inkstone_${name} ${value}\n`).join('');
}

async function serveFile(response, path) {
  const file = normalize(join(kDist, path === '/' ? 'index.html' : path));
  if (!file.startsWith(kDist)) return fault(response, 404, 'not_found_error', 'no such page');
  try {
    const bytes = await readFile(file);
    response.writeHead(200, {
      'content-type': kTypes[extname(file)] ?? 'application/octet-stream',
      'content-security-policy': kPolicy,
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
    });
    response.end(bytes);
  } catch {
    fault(response, 404, 'not_found_error', 'no such page');
  }
}

const server = createServer(async (request, response) => {
  const { pathname } = new URL(request.url, 'http://localhost');
  if (pathname === '/health') return send(response, 200, { status: 'ok' });
  if (!pathname.startsWith('/v1/') && pathname !== '/metrics') return serveFile(response, pathname);
  if (kKey !== '' && request.headers.authorization !== `Bearer ${kKey}`)
    return fault(response, 401, 'authentication_error', 'the key is missing or wrong', 'invalid_api_key');
  if (pathname === '/metrics') return send(response, 200, metrics(), { 'content-type': 'text/plain; version=0.0.4' });
  if (pathname === '/v1/models')
    return send(response, 200, {
      object: 'list',
      data: ['ink-small', 'ink-large'].map((id) => ({ id, object: 'model', created: 0, owned_by: 'local' })),
    });
  if (pathname !== '/v1/chat/completions' || request.method !== 'POST')
    return fault(response, 404, 'not_found_error', 'no such endpoint');
  const parts = [];
  for await (const part of request) parts.push(part);
  await chat(request, response, JSON.parse(Buffer.concat(parts).toString()));
});
server.listen(Number(option('--port', '8080')), '127.0.0.1', () =>
  console.log(`listening on http://127.0.0.1:${server.address().port}`),
);
