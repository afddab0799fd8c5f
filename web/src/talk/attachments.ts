// Text files that a person adds to a message. They become part of its text in a block with a fence that is longer than
// any in the file: so the file's end cannot be imitated by what is in it, and every model knows the form.
// Chinese files are often not UTF-8: GB 18030 is tried after it. Anything that is no text is refused.
import type { Attachment } from './turns';

export const kMaxFileBytes = 256 * 1024;
export const kMaxAllBytes = 1024 * 1024; // of one message; the server's own limit for a request is larger

export type ReadFile = { attachment: Attachment } | { refused: 'too_large' | 'not_text'; name: string };

export function decodeText(bytes: Uint8Array): string | null {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return decode(bytes, 'utf-16le');
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return decode(bytes, 'utf-16be');
  if (bytes.subarray(0, 8192).includes(0)) return null;
  return decode(bytes, 'utf-8') ?? decode(bytes, 'gb18030');
}

function decode(bytes: Uint8Array, encoding: string): string | null {
  try {
    const text = new TextDecoder(encoding, { fatal: true }).decode(bytes);
    // Control characters other than white space and escape: a binary file that happens to decode.
    return /[\u0000-\u0008\u000e-\u001a\u001c-\u001f]/.test(text) ? null : text;
  } catch {
    return null;
  }
}

export async function readFile(file: File, usedBytes: number): Promise<ReadFile> {
  const name = cleanName(file.name);
  if (file.size > kMaxFileBytes || usedBytes + file.size > kMaxAllBytes) return { refused: 'too_large', name };
  const text = decodeText(new Uint8Array(await file.arrayBuffer()));
  return text === null ? { refused: 'not_text', name } : { attachment: { name, text } };
}

export function cleanName(name: string): string {
  return (
    name
      .replace(/[\u0000-\u001f`]/g, '')
      .trim()
      .slice(-120) || 'file'
  );
}

export const bytesOf = (attachments: Attachment[]): number =>
  attachments.reduce((sum, one) => sum + new TextEncoder().encode(one.text).length, 0);

// A user's message as the model reads it.
export function withAttachments(text: string, attachments: Attachment[] = []): string {
  const blocks = attachments.map(({ name, text: content }) => {
    const longest = Math.max(2, ...[...content.matchAll(/`+/g)].map((run) => run[0].length));
    const fence = '`'.repeat(longest + 1);
    return `File: ${cleanName(name)}\n${fence}\n${content}${content.endsWith('\n') ? '' : '\n'}${fence}`;
  });
  return [...blocks, text].filter((part) => part !== '').join('\n\n');
}
