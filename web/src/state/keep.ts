// What stays on the device: conversations and a few small things (settings, drafts, which conversation was open), in
// IndexedDB. Where the browser forbids it (some private windows), the page works on and says that nothing is kept.
import type { Conversation } from '../talk/turns';

export interface Keep {
  conversations(): Promise<Conversation[]>;
  put(conversation: Conversation): Promise<void>;
  remove(id: string): Promise<void>;
  get(name: string): Promise<unknown>;
  set(name: string, value: unknown): Promise<void>;
}

const kName = 'inkstone';
const kVersion = 1;

export async function openKeep(factory: IDBFactory = indexedDB): Promise<Keep> {
  const opening = factory.open(kName, kVersion);
  opening.onupgradeneeded = () => {
    opening.result.createObjectStore('conversations', { keyPath: 'id' });
    opening.result.createObjectStore('small');
  };
  const database = await done(opening);
  // Another tab with a newer page wants to change the form: make way, or it would wait for ever.
  database.onversionchange = () => database.close();

  const store = (name: string, mode: IDBTransactionMode): IDBObjectStore =>
    database.transaction(name, mode).objectStore(name);
  // Committed explicitly: otherwise the browser waits for our answer before it commits, and a page that is being closed
  // answers no more.
  const write = async (name: string, request: (store: IDBObjectStore) => IDBRequest): Promise<void> => {
    const place = store(name, 'readwrite');
    const asked = done(request(place));
    place.transaction.commit();
    await asked;
  };
  return {
    conversations: () => done(store('conversations', 'readonly').getAll() as IDBRequest<Conversation[]>),
    put: (conversation) => write('conversations', (place) => place.put(conversation)),
    remove: (id) => write('conversations', (place) => place.delete(id)),
    get: (name) => done(store('small', 'readonly').get(name) as IDBRequest<unknown>),
    set: (name, value) => write('small', (place) => place.put(value, name)),
  };
}

function done<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error('the browser keeps nothing'));
  });
}

export function keepNothing(): Keep {
  const nothing = (): Promise<void> => Promise.resolve();
  return {
    conversations: () => Promise.resolve([]),
    put: nothing,
    remove: nothing,
    get: () => Promise.resolve(undefined),
    set: nothing,
  };
}
