// Starts the page: reads what is kept, draws, and looks at the server from time to time.
import { render } from 'preact';
import { Server, sessionKey } from './api/server';
import { Actions } from './state/actions';
import { keepNothing, openKeep, type Keep } from './state/keep';
import { Saver, tabs } from './state/saver';
import { readSettings } from './state/settings';
import { initialState, type Draft, type State } from './state/state';
import { Store } from './state/store';
import { Talking } from './state/talking';
import { interruptGrowing } from './talk/turns';
import { AppContext } from './view/app_context';
import { saveFile } from './view/copy';
import { isNarrow } from './view/narrow';
import { Page } from './view/page';
import './style/palette.css';
import './style/base.css';
import './style/layout.css';
import './style/talk.css';
import './style/markdown.css';
import './style/dialogs.css';

const kHealthMs = 15_000;

// crypto.randomUUID is missing where the browser does not call the address safe.
function newId(): string {
  return [...crypto.getRandomValues(new Uint8Array(12))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

async function readKept(keep: Keep): Promise<Partial<State>> {
  const [conversations, settings, drafts, current] = await Promise.all([
    keep.conversations(),
    keep.get('settings'),
    keep.get('drafts'),
    keep.get('current'),
  ]);
  const byId = Object.fromEntries(conversations.map((one) => [one.id, interruptGrowing(one)]));
  return {
    conversations: byId,
    settings: readSettings(settings),
    drafts: typeof drafts === 'object' && drafts !== null ? (drafts as Record<string, Draft>) : {},
    current: typeof current === 'string' && byId[current] ? current : null,
  };
}

async function start(): Promise<void> {
  const store = new Store(initialState());
  let keep = keepNothing();
  try {
    keep = await openKeep();
    store.set(await readKept(keep));
  } catch {
    store.set({ kept: false });
  }
  // On a phone the machine's panel would cover what was being read.
  store.set(({ settings }) => ({
    ready: true,
    settings: { ...settings, machineOpen: settings.machineOpen && !isNarrow() },
  }));
  const saver = new Saver(store, keep, tabs());
  const server = new Server(document.baseURI, sessionKey);
  const talking = new Talking(store, server, { now: () => new Date(), clock: () => performance.now(), newId });
  const actions = new Actions(store, talking, server, newId, saveFile);

  // What a phone or a closing tab still lets us do: begin the writes.
  addEventListener('pagehide', () => saver.close());
  addEventListener('pageshow', (event) => {
    if (event.persisted) saver.reopen();
  });
  document.addEventListener('visibilitychange', () => {
    if (document.hidden) void saver.flush();
    else void actions.lookAtServer();
  });
  void actions.lookAtServer();
  setInterval(() => {
    if (!document.hidden) void actions.lookAtServer();
  }, kHealthMs);
  void navigator.storage?.persist?.().catch(() => false); // so that the browser does not clear it when the disk is full

  render(
    <AppContext.Provider value={{ store, talking, actions }}>
      <Page />
    </AppContext.Provider>,
    document.getElementById('page')!,
  );
}

void start();
