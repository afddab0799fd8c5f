// What a person can do beside talking: conversations, settings, files in and out, the key.
import type { Server } from '../api/server';
import { FaultError } from '../api/faults';
import { readFile, bytesOf, kMaxAllBytes, kMaxFileBytes } from '../talk/attachments';
import { exportJson, exportMarkdown, fileName, importJson, ImportError, kMaxImportBytes } from '../talk/exchange';
import { chooseTurn, type Conversation } from '../talk/turns';
import type { Speech } from '../view/app_context';
import type { Settings } from './settings';
import { kNewDraft, draftOf, listed, type Draft, type State } from './state';
import type { Store } from './store';
import type { Talking } from './talking';

export class Actions {
  constructor(
    private readonly store: Store<State>,
    private readonly talking: Talking,
    private readonly server: Server,
    private readonly newId: () => string,
    private readonly saveFile: (name: string, type: string, text: string) => void,
  ) {}

  open(id: string | null): void {
    this.store.set({ current: id, sidebarOpen: false });
  }

  openTurn(id: string, turn: string | null): void {
    if (turn !== null) this.showTurn(id, turn);
    this.open(id);
  }

  showTurn(id: string, turn: string): void {
    this.change(id, (conversation) => chooseTurn(conversation, turn));
  }

  rename(id: string, title: string): void {
    const trimmed = title.trim().slice(0, 200);
    if (trimmed !== '') this.change(id, (conversation) => ({ ...conversation, title: trimmed, named: true }));
  }

  remove(id: string): void {
    this.talking.stop(id);
    this.store.set((state) => {
      const conversations = { ...state.conversations };
      delete conversations[id];
      const drafts = { ...state.drafts };
      delete drafts[id];
      return { conversations, drafts, current: state.current === id ? null : state.current, dialog: null };
    });
  }

  removeAll(): void {
    this.talking.stopAll();
    this.store.set({ conversations: {}, drafts: {}, current: null, dialog: null });
  }

  draft(change: Partial<Draft>): void {
    this.store.set((state) => {
      const key = state.current ?? kNewDraft;
      return { drafts: { ...state.drafts, [key]: { ...draftOf(state), ...change } } };
    });
  }

  async attach(files: Iterable<File>, { t, format }: Speech): Promise<void> {
    const refused: string[] = [];
    const limits = { file: format.bytes(kMaxFileBytes), all: format.bytes(kMaxAllBytes) };
    for (const file of files) {
      const { attachments } = draftOf(this.store.state);
      const read = await readFile(file, bytesOf(attachments));
      if ('attachment' in read)
        this.draft({ attachments: [...draftOf(this.store.state).attachments, read.attachment] });
      else
        refused.push(
          t(read.refused === 'too_large' ? 'file.too_large' : 'file.not_text', { name: read.name, ...limits }),
        );
    }
    if (refused.length > 0) this.store.set({ notice: { kind: 'fault', text: refused.join('\n') } });
  }

  settings(change: Partial<Settings>): void {
    this.store.set((state) => ({ settings: { ...state.settings, ...change } }));
  }

  exportAll(): void {
    this.saveFile('inkstone.json', 'application/json', exportJson(listed(this.store.state.conversations), new Date()));
  }

  exportOne(id: string, as: 'json' | 'markdown', { t }: Speech): void {
    const conversation = this.store.state.conversations[id];
    if (!conversation) return;
    if (as === 'json') {
      this.saveFile(fileName(conversation.title, 'json'), 'application/json', exportJson([conversation], new Date()));
    } else {
      const names = {
        user: t('turn.you'),
        assistant: t('turn.assistant'),
        tool: t('turn.tool'),
        thinking: t('think.plain'),
      };
      this.saveFile(fileName(conversation.title, 'md'), 'text/markdown', exportMarkdown(conversation, names));
    }
  }

  async importFile(file: File, { t }: Speech): Promise<void> {
    try {
      if (file.size > kMaxImportBytes) throw new ImportError(`${file.size} B`);
      const there = new Map(Object.entries(this.store.state.conversations));
      const read = importJson(await file.text(), there, this.newId);
      this.store.set((state) => ({
        conversations: { ...state.conversations, ...Object.fromEntries(read.map((one) => [one.id, one])) },
        notice: { kind: 'info', text: t('notice.imported', { count: read.length }) },
      }));
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.store.set({ notice: { kind: 'fault', text: t('notice.import_failed', { reason }) } });
    }
  }

  // Asks the server who is there; opens the question for a key where one is needed.
  async lookAtServer(): Promise<void> {
    const health = await this.server.health();
    this.store.set({ health });
    if (health === 'down') return;
    try {
      const models = await this.server.models();
      if (models.join('\n') !== this.store.state.models.join('\n')) this.store.set({ models });
    } catch (error) {
      if (error instanceof FaultError && error.fault.kind === 'key' && this.store.state.dialog?.kind !== 'key')
        this.store.set({ dialog: { kind: 'key', wrong: this.server.key.get() !== '' } });
    }
  }

  async enterKey(key: string): Promise<void> {
    this.server.key.set(key.trim());
    this.store.set({ dialog: null });
    await this.lookAtServer();
  }

  forgetKey(): void {
    this.server.key.set('');
  }

  async lookAtMachine(): Promise<void> {
    try {
      this.store.set({ machine: await this.server.machine() });
    } catch {
      this.store.set({ machine: null });
    }
  }

  private change(id: string, how: (conversation: Conversation) => Conversation): void {
    const conversation = this.store.state.conversations[id];
    if (conversation)
      this.store.set((state) => ({ conversations: { ...state.conversations, [id]: how(conversation) } }));
  }
}
