// What a person can do in a conversation: send, stop, ask again, edit, go on, answer a tool's call. Everything that is
// asked of the server goes through answer(), which grows one turn; what arrives is put into the store a few times a
// second, not letter by letter, because drawing is dearer than the network here.
import { emptyAnswer, type JoinedAnswer } from '../api/answer';
import { FaultError, type Fault } from '../api/faults';
import type { ChatRequest, Server } from '../api/server';
import { openCalls, toMessages } from '../talk/messages';
import {
  addTurn,
  changeTurn,
  findTurn,
  lineTo,
  newConversation,
  pathOf,
  removeTurn,
  titleFrom,
  type Attachment,
  type Conversation,
  type Turn,
} from '../talk/turns';
import { kPageTools, parseDeclarations, runPageTool, type ToolDeclaration } from '../tools/page_tools';
import { requestFields } from './settings';
import { kNewDraft, kNoDraft, modelOf, type Running, type State } from './state';
import type { Store } from './store';

const kDrawMs = 60;
const kMostToolRounds = 8; // a model that calls and calls is stopped here; "Go on" begins anew

export interface Surroundings {
  now(): Date;
  clock(): number; // ms, for durations
  newId(): string;
}

export class Talking {
  private readonly stops = new Map<string, AbortController>(); // by conversation

  constructor(
    private readonly store: Store<State>,
    private readonly server: Pick<Server, 'chat'>,
    private readonly around: Surroundings,
  ) {}

  // Sends a message at the end of what is shown, in a new conversation if none is open.
  async send(text: string, attachments: Attachment[] = []): Promise<void> {
    if (text.trim() === '' && attachments.length === 0) return;
    let id = this.store.state.current;
    if (id !== null && this.stops.has(id)) return;
    if (id === null || !this.store.state.conversations[id]) {
      id = this.around.newId();
      this.put(newConversation(id, this.around.now().getTime()));
    }
    const draftKey = this.store.state.current ?? kNewDraft;
    this.store.set((state) => ({ current: id, drafts: { ...state.drafts, [draftKey]: kNoDraft } }));
    const conversation = this.store.state.conversations[id]!;
    await this.ask(id, pathOf(conversation).at(-1)?.id ?? null, text, attachments);
  }

  // A question in other words, beside the first; what followed the first stays where it was.
  async edit(id: string, turnId: string, text: string): Promise<void> {
    const turn = this.turn(id, turnId);
    if (turn?.role !== 'user' || text.trim() === '') return;
    this.stop(id);
    await this.ask(id, turn.parent, text, turn.attachments ?? []);
  }

  // Another answer beside this one. One that failed before its first word is not kept.
  async again(id: string, turnId: string): Promise<void> {
    const turn = this.turn(id, turnId);
    if (turn?.role !== 'assistant' || this.stops.has(id)) return;
    const isEmpty = turn.text === '' && !turn.thinking && !turn.calls?.length;
    if (isEmpty) this.change(id, (conversation) => removeTurn(conversation, turnId));
    await this.answer(id, turn.parent);
  }

  // Writes on at the end of an answer that was cut off.
  async goOn(id: string, turnId: string): Promise<void> {
    const turn = this.turn(id, turnId);
    if (turn?.role !== 'assistant' || this.stops.has(id)) return;
    if (turn.text === '') return this.again(id, turnId);
    await this.answer(id, turn.parent, turn);
  }

  // A person hands over what a tool answered; when all calls have their answers, the assistant goes on.
  async answerCall(id: string, callId: string, text: string): Promise<void> {
    const conversation = this.store.state.conversations[id];
    if (!conversation || this.stops.has(id)) return;
    const path = pathOf(conversation);
    const open = openCalls(path);
    if (!open?.callIds.includes(callId)) return;
    const last = this.addToolTurn(id, path.at(-1)!.id, callId, text);
    if (open.callIds.length === 1) await this.answer(id, last);
  }

  stop(id: string): void {
    this.stops.get(id)?.abort();
  }

  stopAll(): void {
    for (const stop of this.stops.values()) stop.abort();
  }

  private async ask(id: string, parent: string | null, text: string, attachments: Attachment[]): Promise<void> {
    const turn: Turn = {
      id: this.around.newId(),
      parent,
      role: 'user',
      text,
      created: this.around.now().getTime(),
      state: 'done',
    };
    if (attachments.length > 0) turn.attachments = attachments;
    this.change(id, (conversation) => {
      const next = addTurn(conversation, turn);
      if (next.named || (next.title !== '' && parent !== null)) return next;
      return { ...next, title: titleFrom(text) || (attachments[0]?.name ?? '') };
    });
    await this.answer(id, turn.id);
  }

  // Grows one answer below `parent`, or the end of `begun`, then runs the page's tools if it called them, and so on.
  private async answer(id: string, parent: string | null, begun: Turn | null = null): Promise<void> {
    const stop = new AbortController();
    this.stops.set(id, stop);
    try {
      for (let round = 0; round < kMostToolRounds; ++round) {
        const turnId = begun?.id ?? this.addAnswerTurn(id, parent);
        const whole = await this.grow(id, turnId, begun, stop.signal);
        begun = null;
        parent = whole ? this.runTools(id, turnId) : null;
        if (parent === null || stop.signal.aborted) return;
      }
    } finally {
      if (this.stops.get(id) === stop) {
        this.stops.delete(id);
        this.store.set((state) => ({ running: without(state.running, id) }));
      }
    }
  }

  private async grow(id: string, turnId: string, begun: Turn | null, signal: AbortSignal): Promise<boolean> {
    const began = this.around.clock();
    const answer = emptyAnswer();
    let thoughtMs = begun?.thinkingMs ?? 0;
    const draw = (): void => {
      this.change(id, (conversation) => changeTurn(conversation, turnId, partsOf(answer, begun, thoughtMs)));
    };
    const running = (change: Partial<Running>): void =>
      this.store.set((state) => ({
        running: {
          ...state.running,
          [id]: { turn: turnId, began, firstPiece: null, pieces: 0, progress: null, ...state.running[id], ...change },
        },
      }));
    running({ turn: turnId, began, firstPiece: null, pieces: 0, progress: null });
    if (begun)
      this.change(id, (conversation) => changeTurn(conversation, turnId, { state: 'growing', fault: undefined }));
    let drawn = -Infinity;
    let fault: Fault | null = null;
    try {
      await this.server.chat(
        this.request(id, turnId, begun),
        signal,
        () => {
          const now = this.around.clock();
          if (answer.thinking !== '' && answer.text === '') thoughtMs = now - began;
          if (now - drawn < kDrawMs) return;
          drawn = now;
          draw();
          running({
            pieces: answer.pieces,
            progress: answer.progress,
            firstPiece: this.store.state.running[id]?.firstPiece ?? (answer.pieces > 0 ? now : null),
          });
        },
        answer,
      );
    } catch (error) {
      fault =
        error instanceof FaultError
          ? error.fault
          : { kind: 'broken', detail: error instanceof Error ? error.message : String(error) };
    }
    draw();
    const state = signal.aborted ? 'stopped' : fault ? 'failed' : answer.finish === 'length' ? 'cut' : 'done';
    this.change(id, (conversation) =>
      changeTurn(conversation, turnId, { state, ...(fault && state === 'failed' ? { fault } : {}) }),
    );
    if (fault?.kind === 'key' && state === 'failed') this.store.set({ dialog: { kind: 'key', wrong: false } });
    return state === 'done';
  }

  private request(id: string, turnId: string, begun: Turn | null): ChatRequest {
    const { state } = this.store;
    const conversation = state.conversations[id]!;
    const line = lineTo(conversation, turnId);
    const tools = toolsOf(state);
    return {
      ...requestFields(state.settings, modelOf(state)),
      messages: toMessages(begun ? line : line.slice(0, -1), state.settings.system),
      return_progress: true,
      ...(begun ? { continue_final_message: true } : {}),
      ...(tools.length > 0 ? { tools } : {}),
    };
  }

  // Runs the calls of the page's own tools. Returns the turn to go on from, or null if there is nothing to go on with.
  private runTools(id: string, turnId: string): string | null {
    const calls = this.turn(id, turnId)?.calls ?? [];
    if (calls.length === 0 || !this.store.state.settings.pageTools) return null;
    let parent = turnId;
    let allDone = true;
    for (const call of calls) {
      const text = runPageTool(call, this.around.now());
      if (text === null) allDone = false;
      else parent = this.addToolTurn(id, parent, call.id, text);
    }
    return allDone ? parent : null;
  }

  private addAnswerTurn(id: string, parent: string | null): string {
    const model = modelOf(this.store.state);
    const turn: Turn = {
      id: this.around.newId(),
      parent,
      role: 'assistant',
      text: '',
      created: this.around.now().getTime(),
      state: 'growing',
    };
    if (model !== '') turn.model = model;
    this.change(id, (conversation) => addTurn(conversation, turn));
    return turn.id;
  }

  private addToolTurn(id: string, parent: string, callId: string, text: string): string {
    const turn: Turn = {
      id: this.around.newId(),
      parent,
      role: 'tool',
      text,
      callId,
      created: this.around.now().getTime(),
      state: 'done',
    };
    this.change(id, (conversation) => addTurn(conversation, turn));
    return turn.id;
  }

  private turn(id: string, turnId: string): Turn | undefined {
    const conversation = this.store.state.conversations[id];
    return conversation && findTurn(conversation, turnId);
  }

  private put(conversation: Conversation): void {
    this.store.set((state) => ({ conversations: { ...state.conversations, [conversation.id]: conversation } }));
  }

  // A conversation that was deleted meanwhile stays deleted.
  private change(id: string, how: (conversation: Conversation) => Conversation): void {
    const conversation = this.store.state.conversations[id];
    if (conversation) this.put(how(conversation));
  }
}

function partsOf(answer: JoinedAnswer, begun: Turn | null, thinkingMs: number): Partial<Turn> {
  const parts: Partial<Turn> = { text: (begun?.text ?? '') + answer.text, figures: { ...answer.figures } };
  const thinking = (begun?.thinking ?? '') + answer.thinking;
  if (thinking !== '') Object.assign(parts, { thinking, thinkingMs });
  if (answer.calls.length > 0) parts.calls = answer.calls.map((call, i) => ({ ...call, id: call.id || `call_${i}` }));
  if (answer.model !== '') parts.model = answer.model;
  return parts;
}

export function toolsOf(state: State): ToolDeclaration[] {
  let own: ToolDeclaration[] = [];
  try {
    own = parseDeclarations(state.settings.ownTools);
  } catch {
    // the settings say what is wrong with it
  }
  return state.settings.pageTools ? [...kPageTools, ...own] : own;
}

function without<T>(record: Record<string, T>, key: string): Record<string, T> {
  const rest = { ...record };
  delete rest[key];
  return rest;
}
