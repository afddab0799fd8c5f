// A conversation as a tree of turns: editing a question or asking for another answer adds a sibling, and nothing is
// ever overwritten. What a person sees is one path through the tree: at each turn the chosen child, or the last one
// where nothing was chosen. All functions are pure: they return a new conversation, or the same one if nothing changed.
import type { Call, Figures } from '../api/answer';
import type { Fault } from '../api/faults';

export type Role = 'user' | 'assistant' | 'tool';

// growing: being written now · stopped: by the person · interrupted: the page went away while it grew ·
// cut: the length allowed was used up · failed: see fault
export type TurnState = 'done' | 'growing' | 'stopped' | 'interrupted' | 'cut' | 'failed';

export interface Attachment {
  name: string;
  text: string;
}

export interface Turn {
  id: string;
  parent: string | null;
  role: Role;
  text: string;
  created: number; // ms since 1970
  state: TurnState;
  attachments?: Attachment[]; // user
  thinking?: string; // assistant
  thinkingMs?: number;
  calls?: Call[]; // assistant
  callId?: string; // tool: the call that this answers
  model?: string;
  figures?: Figures;
  fault?: Fault;
}

export interface Conversation {
  id: string;
  title: string;
  named: boolean; // by the person: then it does not follow the first question
  created: number;
  updated: number;
  turns: Turn[]; // in the order in which they were made, parents before children
  chosen: Record<string, string>; // parent's id, or kRoot, to the child that is shown
}

export const kRoot = 'root';
const keyOf = (parent: string | null): string => parent ?? kRoot;

export function newConversation(id: string, now: number): Conversation {
  return { id, title: '', named: false, created: now, updated: now, turns: [], chosen: {} };
}

export function findTurn(conversation: Conversation, id: string): Turn | undefined {
  return conversation.turns.find((turn) => turn.id === id);
}

export function childrenOf(conversation: Conversation, parent: string | null): Turn[] {
  return conversation.turns.filter((turn) => turn.parent === parent);
}

// The turns that are shown, from the first on.
export function pathOf(conversation: Conversation): Turn[] {
  const children = new Map<string, Turn[]>();
  for (const turn of conversation.turns) {
    const list = children.get(keyOf(turn.parent));
    if (list) list.push(turn);
    else children.set(keyOf(turn.parent), [turn]);
  }
  const path: Turn[] = [];
  let key = kRoot;
  for (;;) {
    const list = children.get(key);
    if (!list) return path;
    const next = list.find((turn) => turn.id === conversation.chosen[key]) ?? list[list.length - 1]!;
    path.push(next);
    key = next.id;
  }
}

// From the first turn to this one, whatever is shown.
export function lineTo(conversation: Conversation, id: string): Turn[] {
  const byId = new Map(conversation.turns.map((turn) => [turn.id, turn]));
  const line: Turn[] = [];
  for (let turn = byId.get(id); turn; turn = turn.parent === null ? undefined : byId.get(turn.parent))
    line.unshift(turn);
  return line;
}

export interface Siblings {
  ids: string[];
  index: number;
}

export function siblingsOf(conversation: Conversation, turn: Turn): Siblings {
  const ids = childrenOf(conversation, turn.parent).map((sibling) => sibling.id);
  return { ids, index: ids.indexOf(turn.id) };
}

// Adds a turn and shows it. Its parent must be there.
export function addTurn(conversation: Conversation, turn: Turn): Conversation {
  if (turn.parent !== null && !findTurn(conversation, turn.parent)) return conversation;
  if (findTurn(conversation, turn.id)) return conversation;
  return {
    ...conversation,
    updated: Math.max(conversation.updated, turn.created),
    turns: [...conversation.turns, turn],
    chosen: { ...conversation.chosen, [keyOf(turn.parent)]: turn.id },
  };
}

export function changeTurn(conversation: Conversation, id: string, change: Partial<Turn>): Conversation {
  const index = conversation.turns.findIndex((turn) => turn.id === id);
  if (index < 0) return conversation;
  const turns = conversation.turns.slice();
  turns[index] = { ...turns[index]!, ...change };
  return { ...conversation, turns };
}

// Shows this turn: it is chosen, and everything above it.
export function chooseTurn(conversation: Conversation, id: string): Conversation {
  const line = lineTo(conversation, id);
  if (line.length === 0) return conversation;
  const chosen = { ...conversation.chosen };
  for (const turn of line) chosen[keyOf(turn.parent)] = turn.id;
  return { ...conversation, chosen };
}

// Takes out a turn with all that follows it. What was chosen among its siblings goes to the nearest one.
export function removeTurn(conversation: Conversation, id: string): Conversation {
  const turn = findTurn(conversation, id);
  if (!turn) return conversation;
  const gone = new Set([id]);
  for (const other of conversation.turns) if (other.parent !== null && gone.has(other.parent)) gone.add(other.id);
  const { ids, index } = siblingsOf(conversation, turn);
  const chosen: Record<string, string> = {};
  for (const [key, child] of Object.entries(conversation.chosen))
    if (!gone.has(key) && !gone.has(child)) chosen[key] = child;
  const neighbour = ids[index - 1] ?? ids[index + 1];
  const key = keyOf(turn.parent);
  if (chosen[key] === undefined && neighbour !== undefined) chosen[key] = neighbour;
  return { ...conversation, turns: conversation.turns.filter((other) => !gone.has(other.id)), chosen };
}

// After the page was closed: what was growing then is not growing now.
export function interruptGrowing(conversation: Conversation): Conversation {
  if (!conversation.turns.some((turn) => turn.state === 'growing')) return conversation;
  const turns = conversation.turns.map((turn) =>
    turn.state === 'growing' ? { ...turn, state: 'interrupted' as const } : turn,
  );
  return { ...conversation, turns };
}

const kTitleLength = 42; // characters; a title is one line of the list

export function titleFrom(text: string): string {
  const line =
    text
      .trim()
      .split('\n')
      .find((part) => part.trim() !== '') ?? '';
  const plain = line
    .replace(/^[#>*\-\s]+/, '')
    .replace(/\s+/g, ' ')
    .trim();
  const letters = [...plain];
  return letters.length <= kTitleLength
    ? plain
    : letters
        .slice(0, kTitleLength - 1)
        .join('')
        .trimEnd() + '…';
}
