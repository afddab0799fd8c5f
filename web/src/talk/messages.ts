// From the turns of a path to the messages of a request. The server always gets the whole conversation; it finds what
// it can keep from last time by itself, as long as the beginning stays the same letter by letter.
import type { WireMessage } from '../api/server';
import { withAttachments } from './attachments';
import type { Turn } from './turns';

// Thinking belongs to the round it was thought in: Qwen3's format gives it back only after the last question, so
// that a model that called a tool knows why.
export function toMessages(turns: Turn[], system: string): WireMessage[] {
  const lastQuestion = turns.findLastIndex((turn) => turn.role === 'user');
  const messages: WireMessage[] = [];
  if (system.trim() !== '') messages.push({ role: 'system', content: system });
  turns.forEach((turn, index) => {
    if (turn.role === 'user') messages.push({ role: 'user', content: withAttachments(turn.text, turn.attachments) });
    if (turn.role === 'tool') messages.push({ role: 'tool', content: turn.text, tool_call_id: turn.callId ?? '' });
    if (turn.role !== 'assistant') return;
    const calls = turn.calls ?? [];
    if (turn.text === '' && calls.length === 0) return; // it failed before it said anything
    const message: WireMessage = { role: 'assistant', content: turn.text };
    if (index > lastQuestion && turn.thinking) message.reasoning_content = turn.thinking;
    if (calls.length > 0)
      message.tool_calls = calls.map((call) => ({
        id: call.id,
        type: 'function',
        function: { name: call.name, arguments: call.arguments || '{}' },
      }));
    messages.push(message);
  });
  return messages;
}

// The calls of a turn that nobody has answered yet, seen from the end of a path.
export function openCalls(path: Turn[]): { turn: Turn; callIds: string[] } | null {
  const index = path.findLastIndex((turn) => turn.role === 'assistant');
  const turn = path[index];
  if (!turn?.calls?.length || turn.state === 'growing') return null;
  const answered = new Set(path.slice(index + 1).map((later) => later.callId));
  const callIds = turn.calls.map((call) => call.id).filter((id) => !answered.has(id));
  return callIds.length > 0 ? { turn, callIds } : null;
}
