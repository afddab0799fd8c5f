// All that the page knows while it is open.
import type { MachineState } from '../api/prometheus';
import type { Health } from '../api/server';
import type { Attachment, Conversation } from '../talk/turns';
import { kDefaultSettings, type Settings } from './settings';

export interface Draft {
  text: string;
  attachments: Attachment[];
}
export const kNoDraft: Draft = { text: '', attachments: [] };

// An answer that is being written.
export interface Running {
  turn: string;
  began: number; // performance.now()
  firstPiece: number | null;
  pieces: number; // about one for each token
  progress: { done: number; total: number } | null;
}

export type Dialog =
  { kind: 'settings' } | { kind: 'key'; wrong: boolean } | { kind: 'delete'; id: string } | { kind: 'delete_all' };

export interface Notice {
  kind: 'info' | 'fault';
  text: string;
}

export interface State {
  ready: boolean; // what is kept on the device has been read
  kept: boolean; // the device keeps what is written
  conversations: Record<string, Conversation>;
  current: string | null; // null: one that has not begun
  drafts: Record<string, Draft>; // by conversation, or kNewDraft
  running: Record<string, Running>; // by conversation
  settings: Settings;
  models: string[];
  health: Health;
  machine: MachineState | null;
  dialog: Dialog | null;
  notice: Notice | null;
  sidebarOpen: boolean; // on a narrow screen
  query: string;
}

export const kNewDraft = 'new';

export const initialState = (): State => ({
  ready: false,
  kept: true,
  conversations: {},
  current: null,
  drafts: {},
  running: {},
  settings: kDefaultSettings,
  models: [],
  health: 'up',
  machine: null,
  dialog: null,
  notice: null,
  sidebarOpen: false,
  query: '',
});

export const draftOf = (state: State): Draft => state.drafts[state.current ?? kNewDraft] ?? kNoDraft;

export const currentConversation = (state: State): Conversation | null =>
  state.current === null ? null : (state.conversations[state.current] ?? null);

// Newest first.
export const listed = (conversations: Record<string, Conversation>): Conversation[] =>
  Object.values(conversations).sort((a, b) => b.updated - a.updated || (a.id < b.id ? 1 : -1));

export const modelOf = (state: State): string =>
  state.models.includes(state.settings.model) || state.models.length === 0 ? state.settings.model : state.models[0]!;
