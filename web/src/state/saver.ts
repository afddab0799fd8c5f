// Writes what has changed in the store to the device: each conversation and each small thing at most once in a while,
// so that a growing answer costs a few writes a second, and at once when the page is about to go. Other tabs are told,
// and read again what another tab wrote; a tab never takes over a conversation that it is itself answering.
import type { Conversation } from '../talk/turns';
import type { Keep } from './keep';
import type { State } from './state';
import type { Store } from './store';

const kDelayMs = 300;

export interface Neighbours {
  tell(id: string): void;
  onTold(listener: (id: string) => void): void;
}

export class Saver {
  private before: State;
  private readonly conversations = new Set<string>();
  private readonly small = new Set<'settings' | 'drafts' | 'current'>();
  private timer: ReturnType<typeof setTimeout> | null = null;
  private closed = false;

  constructor(
    private readonly store: Store<State>,
    private readonly keep: Keep,
    private readonly neighbours: Neighbours | null = null,
  ) {
    this.before = store.state;
    store.subscribe(() => this.notice());
    neighbours?.onTold((id) => void this.readAgain(id));
  }

  private notice(): void {
    const {
      before,
      store: { state },
    } = this;
    this.before = state;
    if (state.conversations !== before.conversations) {
      const ids = new Set([...Object.keys(state.conversations), ...Object.keys(before.conversations)]);
      for (const id of ids) if (state.conversations[id] !== before.conversations[id]) this.conversations.add(id);
    }
    for (const name of ['settings', 'drafts', 'current'] as const)
      if (state[name] !== before[name]) this.small.add(name);
    if (this.conversations.size + this.small.size > 0) this.timer ??= setTimeout(() => void this.flush(), kDelayMs);
  }

  // The page goes away: the last writes begin, and nothing after them counts. The browser breaks the page's connections
  // in the same moment, and an answer must be kept as interrupted, not as failed.
  close(): void {
    void this.flush();
    this.closed = true;
  }

  // It came back after all, from the browser's memory.
  reopen(): void {
    this.closed = false;
    void this.flush();
  }

  // Everything that is waiting goes out now. The writes are begun before this returns for the first time.
  async flush(): Promise<void> {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    if (this.closed) return;
    const { state } = this.store;
    const writes: Promise<void>[] = [];
    for (const name of this.small) writes.push(this.keep.set(name, state[name]));
    for (const id of this.conversations) {
      const conversation = state.conversations[id];
      const write = conversation ? this.keep.put(conversation) : this.keep.remove(id);
      writes.push(write.then(() => this.neighbours?.tell(id)));
    }
    this.small.clear();
    this.conversations.clear();
    const results = await Promise.allSettled(writes);
    if (results.some((result) => result.status === 'rejected') && this.store.state.kept)
      this.store.set({ kept: false });
  }

  private async readAgain(id: string): Promise<void> {
    if (this.store.state.running[id]) return;
    const kept = (await this.keep.conversations()).find((one: Conversation) => one.id === id);
    const conversations = { ...this.store.state.conversations };
    if (kept) conversations[id] = kept;
    else delete conversations[id];
    this.store.set({ conversations });
    this.conversations.delete(id); // it is as it was written: nothing to write back
  }
}

export function tabs(name = 'inkstone'): Neighbours | null {
  if (typeof BroadcastChannel === 'undefined') return null;
  const channel = new BroadcastChannel(name);
  return {
    tell: (id) => channel.postMessage({ id }),
    onTold: (listener) => {
      channel.onmessage = (event: MessageEvent<{ id?: unknown }>) => {
        if (typeof event.data?.id === 'string') listener(event.data.id);
      };
    },
  };
}
