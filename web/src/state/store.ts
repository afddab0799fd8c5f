// One state for the page, changed only through set(), which tells the listeners. Parts that did not change keep their
// identity, so a view that selects one is drawn again only when that one changed.

export class Store<S extends object> {
  private readonly listeners = new Set<() => void>();

  constructor(private current: S) {}

  get state(): S {
    return this.current;
  }

  set(change: Partial<S> | ((state: S) => Partial<S>)): void {
    const patch = typeof change === 'function' ? change(this.current) : change;
    const keys = Object.keys(patch) as (keyof S)[];
    if (keys.every((key) => Object.is(patch[key], this.current[key]))) return;
    this.current = { ...this.current, ...patch };
    for (const listener of [...this.listeners]) listener();
  }

  subscribe(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }
}
