// Search over everything that was said, in all conversations and all branches. Plain words, all of which must occur in
// a turn (or in a title); capitals, full-width forms and the like do not matter (NFKC). A few megabytes of text are
// searched in some milliseconds, so there is no index that could be out of date.
import type { Conversation } from './turns';

export interface Found {
  conversation: string;
  title: string;
  turn: string | null; // null: found in the title
  before: string; // the place, with what was found in the middle
  match: string;
  after: string;
}

export const fold = (text: string): string => text.normalize('NFKC').toLowerCase();

const kAround = 36; // characters shown on each side
const kMostPerConversation = 3;

export function search(conversations: Conversation[], query: string, most = 60): Found[] {
  const words = fold(query)
    .split(/\s+/)
    .filter((word) => word !== '');
  if (words.length === 0) return [];
  const found: Found[] = [];
  for (const conversation of conversations) {
    let here = 0;
    const place = (turn: string | null, text: string): void => {
      if (here >= kMostPerConversation || !holdsAll(text, words)) return;
      ++here;
      found.push({ conversation: conversation.id, title: conversation.title, turn, ...excerpt(text, words[0]!) });
    };
    place(null, conversation.title);
    for (const turn of conversation.turns) {
      const files = (turn.attachments ?? []).map((file) => `${file.name}\n${file.text}`);
      place(turn.id, [turn.text, ...files].join('\n'));
    }
    if (found.length >= most) break;
  }
  return found.slice(0, most);
}

function holdsAll(text: string, words: string[]): boolean {
  const folded = fold(text);
  return words.every((word) => folded.includes(word));
}

// Folding can change lengths (ﬁ → fi), so the place is found in the folded text and shown from it only when the two
// differ in length.
function excerpt(text: string, word: string): { before: string; match: string; after: string } {
  const folded = fold(text);
  const shown = folded.length === text.length ? text : folded;
  const at = folded.indexOf(word);
  const start = Math.max(0, at - kAround);
  const end = Math.min(shown.length, at + word.length + kAround);
  const clean = (part: string): string => part.replace(/\s+/g, ' ');
  return {
    before: (start > 0 ? '…' : '') + clean(shown.slice(start, at)),
    match: clean(shown.slice(at, at + word.length)),
    after: clean(shown.slice(at + word.length, end)) + (end < shown.length ? '…' : ''),
  };
}
