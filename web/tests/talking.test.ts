// The state and what is done with it, with a server that says what the test wants, and a device that keeps in memory.
import 'fake-indexeddb/auto';
import { beforeEach, describe, expect, it } from 'vitest';
import type { JoinedAnswer } from '../src/api/answer';
import { FaultError, type Fault } from '../src/api/faults';
import type { ChatRequest, WireMessage } from '../src/api/server';
import { openKeep, type Keep } from '../src/state/keep';
import { Saver, type Neighbours } from '../src/state/saver';
import { kDefaultSettings } from '../src/state/settings';
import { initialState, type State } from '../src/state/state';
import { Store } from '../src/state/store';
import { Talking } from '../src/state/talking';
import { openCalls, toMessages } from '../src/talk/messages';
import { chooseTurn, newConversation, pathOf, type Turn } from '../src/talk/turns';

type Script = (
  answer: JoinedAnswer,
  tell: () => void,
  signal: AbortSignal,
  request: ChatRequest,
) => Promise<void> | void;

class FakeServer {
  requests: ChatRequest[] = [];
  scripts: Script[] = [];
  async chat(
    request: ChatRequest,
    signal: AbortSignal,
    onChange: (answer: JoinedAnswer) => void,
    answer: JoinedAnswer,
  ): Promise<JoinedAnswer> {
    this.requests.push(request);
    await this.scripts.shift()!(answer, () => onChange(answer), signal, request);
    return answer;
  }
}
const says =
  (text: string, finish = 'stop', thinking = ''): Script =>
  (answer, tell) => {
    Object.assign(answer, { text, thinking, finish, pieces: 2, model: 'm', figures: { completionTokens: 2 } });
    tell();
  };
const calls =
  (...names: string[]): Script =>
  (answer, tell) => {
    answer.calls = names.map((name, index) => ({
      id: `call_${index}`,
      name,
      arguments: name === 'calculator' ? '{"expression":"6*7"}' : '{}',
    }));
    answer.finish = 'tool_calls';
    tell();
  };
const fails =
  (fault: Fault, text = ''): Script =>
  (answer) => {
    answer.text = text;
    throw new FaultError(fault);
  };
const waits: Script = (answer, tell, signal) => {
  Object.assign(answer, { text: 'half', pieces: 1 });
  tell();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve()));
};

let store: Store<State>;
let server: FakeServer;
let talking: Talking;
let ids = 0;
beforeEach(() => {
  store = new Store(initialState());
  server = new FakeServer();
  talking = new Talking(store, server, {
    now: () => new Date(1000),
    clock: () => performance.now(),
    newId: () => `id${++ids}`,
  });
});
const script = (...all: Script[]): void => void (server.scripts = all);
const id = (): string => store.state.current!;
const path = (): Turn[] => pathOf(store.state.conversations[id()]!);
const texts = (): string =>
  path()
    .map((turn) => turn.text)
    .join(' | ');
const sent = (index = -1): string =>
  server.requests
    .at(index)!
    .messages.map((message: WireMessage) => `${message.role[0]}:${message.content}`)
    .join(' ');

describe('talking', () => {
  it('begins a conversation, names it after the question, clears the draft and keeps the numbers', async () => {
    store.set({ drafts: { new: { text: 'hello', attachments: [] } } });
    script(says('hi', 'stop', 'hm'));
    await talking.send('hello');
    expect(texts()).toBe('hello | hi');
    expect(path()[1]).toMatchObject({ state: 'done', thinking: 'hm', model: 'm', figures: { completionTokens: 2 } });
    expect(store.state.conversations[id()]!.title).toBe('hello');
    expect(store.state.drafts['new']!.text).toBe('');
    expect(store.state.running).toEqual({});
  });

  it('sends nothing for nothing', async () => {
    await talking.send('  \n');
    expect(store.state.current).toBeNull();
  });

  it('sends the whole path, with the system prompt and no old thinking', async () => {
    store.set({ settings: { ...kDefaultSettings, system: 'be kind' } });
    script(says('a1', 'stop', 'hm'), says('a2'));
    await talking.send('q1');
    await talking.send('q2');
    expect(sent()).toBe('s:be kind u:q1 a:a1 u:q2');
    expect(server.requests[1]!.messages[2]).toEqual({ role: 'assistant', content: 'a1' });
  });

  it('branches when a question is edited, and goes on where the branch is', async () => {
    script(says('a1'), says('a2'), says('b1'), says('b2'), says('a3'));
    await talking.send('q1');
    await talking.send('q2');
    const [first] = path();
    await talking.edit(id(), first!.id, 'other');
    expect(texts()).toBe('other | b1');
    await talking.send('more');
    expect(sent()).toBe('u:other a:b1 u:more');
    store.set({ conversations: { [id()]: chooseTurn(store.state.conversations[id()]!, first!.id) } });
    expect(texts()).toBe('q1 | a1 | q2 | a2');
    await talking.send('q3');
    expect(sent()).toBe('u:q1 a:a1 u:q2 a:a2 u:q3');
    expect(store.state.conversations[id()]!.title).toBe('other');
  });

  it('answers again beside the first answer', async () => {
    script(says('a1'), says('a2'));
    await talking.send('q');
    await talking.again(id(), path()[1]!.id);
    expect(texts()).toBe('q | a2');
    expect(sent()).toBe('u:q');
    expect(store.state.conversations[id()]!.turns).toHaveLength(3);
  });

  it('stops, keeps what had come, and can go on from there', async () => {
    script(waits, says(' and whole'));
    const talk = talking.send('q');
    await new Promise((resolve) => setTimeout(resolve));
    expect(store.state.running[id()]!.pieces).toBe(1);
    await talking.send('meanwhile'); // nothing is sent while an answer grows
    expect(server.requests).toHaveLength(1);
    talking.stop(id());
    await talk;
    expect(path()[1]).toMatchObject({ text: 'half', state: 'stopped' });
    expect(store.state.running).toEqual({});
    await talking.goOn(id(), path()[1]!.id);
    expect(texts()).toBe('q | half and whole');
    expect(path()[1]!.state).toBe('done');
    expect(server.requests[1]).toMatchObject({ continue_final_message: true });
    expect(sent()).toBe('u:q a:half');
  });

  it('says what failed; asking again takes the place of an empty failure and stands beside a half answer', async () => {
    script(
      fails({ kind: 'busy', detail: 'd', retryAfter: 3 }),
      fails({ kind: 'broken', detail: '' }, 'half'),
      says('whole'),
    );
    await talking.send('q');
    expect(path()[1]).toMatchObject({ state: 'failed', fault: { kind: 'busy', detail: 'd', retryAfter: 3 } });
    await talking.again(id(), path()[1]!.id);
    expect(path()[1]).toMatchObject({ state: 'failed', text: 'half' });
    expect(store.state.conversations[id()]!.turns).toHaveLength(2);
    await talking.again(id(), path()[1]!.id);
    expect(texts()).toBe('q | whole');
    expect(store.state.conversations[id()]!.turns).toHaveLength(3);
  });

  it('asks for a key where one is needed', async () => {
    script(fails({ kind: 'key', detail: '' }));
    await talking.send('q');
    expect(store.state.dialog).toEqual({ kind: 'key', wrong: false });
  });

  it('marks an answer that was cut at its length', async () => {
    script(says('long', 'length'));
    await talking.send('q');
    expect(path()[1]!.state).toBe('cut');
  });

  it('runs the page’s own tools and goes on with what they answered', async () => {
    store.set({ settings: { ...kDefaultSettings, pageTools: true } });
    script(calls('calculator'), says('It is 42.'));
    await talking.send('6*7?');
    expect(path().map((turn) => `${turn.role}:${turn.text}`)).toEqual([
      'user:6*7?',
      'assistant:',
      'tool:42',
      'assistant:It is 42.',
    ]);
    expect(server.requests[0]!['tools']).toHaveLength(2);
    expect(sent()).toBe('u:6*7? a: t:42');
    expect(server.requests[1]!.messages[1]!.tool_calls![0]).toMatchObject({
      id: 'call_0',
      function: { name: 'calculator' },
    });
  });

  it('ends with a model that calls tools for ever', async () => {
    store.set({ settings: { ...kDefaultSettings, pageTools: true } });
    script(...Array.from({ length: 20 }, () => calls('clock')));
    await talking.send('q');
    expect(server.requests).toHaveLength(8);
  });

  it('waits for a person where it cannot run a tool, for all of the calls', async () => {
    script(calls('lamp', 'door'), says('done'));
    await talking.send('q');
    expect(openCalls(path())!.callIds).toEqual(['call_0', 'call_1']);
    await talking.answerCall(id(), 'call_1', 'closed');
    expect(server.requests).toHaveLength(1);
    await talking.answerCall(id(), 'call_1', 'twice');
    await talking.answerCall(id(), 'call_0', 'on');
    expect(sent()).toBe('u:q a: t:closed t:on');
    expect(texts().endsWith('done')).toBe(true);
    expect(openCalls(path())).toBeNull();
  });

  it('leaves a conversation deleted that was deleted while it was answered', async () => {
    script(waits);
    const talk = talking.send('q');
    await new Promise((resolve) => setTimeout(resolve));
    const gone = id();
    store.set({ conversations: {}, current: null });
    talking.stop(gone);
    await talk;
    expect(store.state.conversations).toEqual({});
  });

  it('gives thinking back only after the last question', () => {
    const turn = (role: Turn['role'], text: string, more: Partial<Turn> = {}): Turn => ({
      id: text,
      parent: null,
      role,
      text,
      created: 0,
      state: 'done',
      ...more,
    });
    const messages = toMessages(
      [
        turn('user', 'q'),
        turn('assistant', 'a', { thinking: 'old' }),
        turn('user', 'q2'),
        turn('assistant', '', { thinking: 'new', calls: [{ id: 'c', name: 'n', arguments: '' }] }),
        turn('tool', 'r', { callId: 'c' }),
        turn('assistant', '', { state: 'failed' }),
      ],
      ' ',
    );
    expect(messages.map((message) => message.reasoning_content)).toEqual([
      undefined,
      undefined,
      undefined,
      'new',
      undefined,
    ]);
    expect(messages[3]!.tool_calls![0]!.function.arguments).toBe('{}');
  });
});

describe('the store', () => {
  it('tells listeners of changes only', () => {
    let told = 0;
    const end = store.subscribe(() => ++told);
    store.set({ query: 'x' });
    store.set({ query: 'x' });
    store.set(() => ({}));
    end();
    store.set({ query: 'y' });
    expect(told).toBe(1);
  });
});

describe('keeping', () => {
  it('writes conversations and small things, once per change, and removes', async () => {
    const keep = await openKeep(new IDBFactory());
    const saver = new Saver(store, keep);
    store.set({
      conversations: { a: newConversation('a', 1), b: newConversation('b', 1) },
      drafts: { new: { text: 'draft', attachments: [] } },
      current: 'a',
    });
    await saver.flush();
    store.set((state) => ({ conversations: { b: { ...state.conversations['b']!, title: 'B' } } }));
    await saver.flush();
    expect(await keep.conversations()).toMatchObject([{ id: 'b', title: 'B' }]);
    expect(await keep.get('drafts')).toEqual({ new: { text: 'draft', attachments: [] } });
    expect(await keep.get('current')).toBe('a');
  });

  it('writes by itself after a while', async () => {
    const keep = await openKeep(new IDBFactory());
    new Saver(store, keep);
    store.set({ conversations: { a: newConversation('a', 1) } });
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(await keep.conversations()).toHaveLength(1);
  });

  it('says so when the device keeps nothing', async () => {
    const broken: Keep = {
      conversations: () => Promise.resolve([]),
      get: () => Promise.resolve(undefined),
      set: () => Promise.reject(new Error('full')),
      put: () => Promise.reject(new Error('full')),
      remove: () => Promise.resolve(),
    };
    const saver = new Saver(store, broken);
    store.set({ current: 'x' });
    await saver.flush();
    expect(store.state.kept).toBe(false);
  });

  it('takes over what another tab wrote, but not into a conversation that it answers', async () => {
    const keep = await openKeep(new IDBFactory());
    let tell: (id: string) => void = () => undefined;
    const told: string[] = [];
    const neighbours: Neighbours = {
      tell: (conversation) => told.push(conversation),
      onTold: (listener) => (tell = listener),
    };
    const saver = new Saver(store, keep, neighbours);
    await keep.put({ ...newConversation('a', 1), title: 'theirs' });
    tell('a');
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(store.state.conversations['a']!.title).toBe('theirs');
    await saver.flush();
    expect(told).toEqual([]); // no echo
    store.set((state) => ({
      running: { a: { turn: 't', began: 0, firstPiece: null, pieces: 0, progress: null } },
      conversations: { a: { ...state.conversations['a']!, title: 'mine' } },
    }));
    tell('a');
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(store.state.conversations['a']!.title).toBe('mine');
  });
});
