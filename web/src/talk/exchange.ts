// Conversations out of the page and back: JSON that holds everything, and Markdown of what is shown. A file that is
// read in is a stranger's: it is checked field by field, unknown fields are left out, and what is wrong is named.
import type { Call, Figures } from '../api/answer';
import { withAttachments } from './attachments';
import { pathOf, type Attachment, type Conversation, type Turn, type TurnState } from './turns';

const kFormat = 'inkstone-conversations';
const kVersion = 1;
export const kMaxImportBytes = 64 * 1024 * 1024;

export function exportJson(conversations: Conversation[], now: Date): string {
  return JSON.stringify({ format: kFormat, version: kVersion, exported: now.toISOString(), conversations }, null, 1);
}

export class ImportError extends Error {}

// Throws ImportError. Conversations whose ids are `taken` get new ones, unless they are the same text: those are
// left out, so that reading a file twice changes nothing.
export function importJson(text: string, taken: Map<string, Conversation>, newId: () => string): Conversation[] {
  let file: unknown;
  try {
    file = JSON.parse(text);
  } catch {
    throw new ImportError('not JSON');
  }
  const fields = object(file, 'file');
  if (fields['format'] !== kFormat) throw new ImportError(`format: expected "${kFormat}"`);
  if (fields['version'] !== kVersion) throw new ImportError(`version: expected ${kVersion}`);
  const read = list(fields['conversations'], 'conversations').map((item, i) =>
    conversation(item, `conversations[${i}]`),
  );
  const result: Conversation[] = [];
  for (const one of read) {
    const there = taken.get(one.id) ?? result.find((other) => other.id === one.id);
    if (there && JSON.stringify(there.turns) === JSON.stringify(one.turns)) continue;
    result.push(there ? { ...one, id: newId() } : one);
  }
  return result;
}

type Fields = Record<string, unknown>;

function object(value: unknown, where: string): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new ImportError(`${where}: expected an object`);
  return value as Fields;
}
function list(value: unknown, where: string): unknown[] {
  if (!Array.isArray(value)) throw new ImportError(`${where}: expected a list`);
  return value as unknown[];
}
function string(value: unknown, where: string): string {
  if (typeof value !== 'string') throw new ImportError(`${where}: expected a text`);
  return value;
}
function identifier(value: unknown, where: string): string {
  const text = string(value, where);
  if (!/^[A-Za-z0-9_-]{1,64}$/.test(text)) throw new ImportError(`${where}: expected an identifier`);
  return text;
}
function time(value: unknown, where: string): number {
  if (typeof value !== 'number' || !Number.isFinite(value) || value < 0 || value > 8.64e15)
    throw new ImportError(`${where}: expected a time`);
  return value;
}

function conversation(value: unknown, where: string): Conversation {
  const fields = object(value, where);
  const seen = new Set<string>();
  const turns = list(fields['turns'], `${where}.turns`).map((item, i) => {
    const one = turn(item, `${where}.turns[${i}]`);
    if (seen.has(one.id)) throw new ImportError(`${where}.turns[${i}].id: twice`);
    if (one.parent !== null && !seen.has(one.parent))
      throw new ImportError(`${where}.turns[${i}].parent: not before it`);
    seen.add(one.id);
    return one;
  });
  const chosen: Record<string, string> = {};
  for (const [parent, child] of Object.entries(object(fields['chosen'] ?? {}, `${where}.chosen`)))
    if (turns.some((one) => one.id === child && (one.parent ?? 'root') === parent)) chosen[parent] = child as string;
  return {
    id: identifier(fields['id'], `${where}.id`),
    title: string(fields['title'], `${where}.title`).slice(0, 200),
    named: fields['named'] === true,
    created: time(fields['created'], `${where}.created`),
    updated: time(fields['updated'], `${where}.updated`),
    turns,
    chosen,
  };
}

const kStates: readonly string[] = ['done', 'stopped', 'interrupted', 'cut', 'failed'];

function turn(value: unknown, where: string): Turn {
  const fields = object(value, where);
  const role = fields['role'];
  if (role !== 'user' && role !== 'assistant' && role !== 'tool') throw new ImportError(`${where}.role: not known`);
  const state = kStates.includes(fields['state'] as string) ? (fields['state'] as TurnState) : 'interrupted';
  const result: Turn = {
    id: identifier(fields['id'], `${where}.id`),
    parent: fields['parent'] === null ? null : identifier(fields['parent'], `${where}.parent`),
    role,
    text: string(fields['text'], `${where}.text`),
    created: time(fields['created'], `${where}.created`),
    state: state === 'failed' ? 'interrupted' : state,
  };
  const optional = <T>(name: string, read: (value: unknown, where: string) => T): T | undefined =>
    fields[name] === undefined ? undefined : read(fields[name], `${where}.${name}`);
  const thinking = optional('thinking', string);
  const model = optional('model', string);
  const callId = optional('callId', string);
  const attachments = optional('attachments', (v, w) => list(v, w).map((item, i) => attachment(item, `${w}[${i}]`)));
  const calls = optional('calls', (v, w) => list(v, w).map((item, i) => call(item, `${w}[${i}]`)));
  const thinkingMs = optional('thinkingMs', time);
  const figures = optional('figures', numbers);
  return Object.assign(result, prune({ thinking, thinkingMs, model, callId, attachments, calls, figures }));
}

const prune = <T extends object>(fields: T): Partial<T> =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Partial<T>;

function attachment(value: unknown, where: string): Attachment {
  const fields = object(value, where);
  return { name: string(fields['name'], `${where}.name`), text: string(fields['text'], `${where}.text`) };
}

function call(value: unknown, where: string): Call {
  const fields = object(value, where);
  return {
    id: string(fields['id'], `${where}.id`),
    name: string(fields['name'], `${where}.name`),
    arguments: string(fields['arguments'], `${where}.arguments`),
  };
}

function numbers(value: unknown, where: string): Figures {
  const known = Object.entries(object(value, where)).filter(
    ([name, number]) => /^[a-zA-Z]{1,40}$/.test(name) && typeof number === 'number' && Number.isFinite(number),
  );
  return Object.fromEntries(known) as Figures;
}

// What is shown of one conversation, as a document. `names` are the headings for who speaks.
export function exportMarkdown(
  conversation: Conversation,
  names: { user: string; assistant: string; tool: string; thinking: string },
): string {
  const parts = [`# ${conversation.title || '…'}`];
  for (const one of pathOf(conversation)) {
    parts.push(`## ${names[one.role]}`);
    if (one.thinking) parts.push(`> **${names.thinking}**\n>\n` + one.thinking.trim().replace(/^/gm, '> '));
    const text = one.role === 'user' ? withAttachments(one.text, one.attachments) : one.text;
    if (text.trim() !== '') parts.push(text.trim());
    for (const made of one.calls ?? []) parts.push('```json\n' + `${made.name}(${made.arguments})` + '\n```');
  }
  return parts.join('\n\n') + '\n';
}

export function fileName(title: string, extension: string): string {
  const clean = title
    .replace(/[\\/:*?"<>|\u0000-\u001f]/g, ' ')
    .replace(/\s+/g, ' ')
    .trim()
    .slice(0, 60);
  return `${clean || 'inkstone'}.${extension}`;
}
