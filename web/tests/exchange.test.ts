// What comes into a conversation from outside and goes out of it: files, imports, exports; and the search.
import { describe, expect, it } from 'vitest';
import { decodeText, kMaxAllBytes, kMaxFileBytes, readFile, withAttachments } from '../src/talk/attachments';
import { exportJson, exportMarkdown, fileName, ImportError, importJson } from '../src/talk/exchange';
import { search } from '../src/talk/search';
import { addTurn, newConversation, type Conversation, type Turn } from '../src/talk/turns';

const full = (): Conversation => {
  const turns: Turn[] = [
    {
      id: 'q',
      parent: null,
      role: 'user',
      text: '问题 <b>',
      created: 5,
      state: 'done',
      attachments: [{ name: 'a.txt', text: 'ａｌｐｈａ file' }],
    },
    {
      id: 'a',
      parent: 'q',
      role: 'assistant',
      text: 'answer',
      created: 6,
      state: 'done',
      thinking: 'hm\nhm',
      thinkingMs: 20,
      model: 'm',
      calls: [{ id: 'c', name: 'clock', arguments: '{}' }],
      figures: { promptTokens: 3 },
    },
    { id: 't', parent: 'a', role: 'tool', text: 'noon', created: 7, state: 'done', callId: 'c' },
    { id: 'a2', parent: 'q', role: 'assistant', text: 'other', created: 8, state: 'stopped' },
  ];
  return {
    ...turns.reduce(addTurn, newConversation('talk', 1)),
    title: 'T',
    named: true,
    chosen: { root: 'q', q: 'a' },
  };
};
const ids = (): (() => string) => {
  let n = 0;
  return () => `new${++n}`;
};
const changed = (
  change: (file: { conversations: Record<string, unknown>[] } & Record<string, unknown>) => void,
): string => {
  const file = JSON.parse(exportJson([full()], new Date(0))) as { conversations: Record<string, unknown>[] } & Record<
    string,
    unknown
  >;
  change(file);
  return JSON.stringify(file);
};

describe('export and import', () => {
  it('come back the same', () => {
    expect(importJson(exportJson([full()], new Date(0)), new Map(), ids())).toEqual([full()]);
  });

  it('leave out what is there already, and give a new id where the text differs', () => {
    const text = exportJson([full()], new Date(0));
    expect(importJson(text, new Map([['talk', full()]]), ids())).toEqual([]);
    const other = { ...full(), turns: full().turns.slice(0, 1) };
    expect(importJson(text, new Map([['talk', other]]), ids())[0]!.id).toBe('new1');
  });

  it.each<[string, string]>([
    ['not JSON', 'x'],
    ['another file', '{"a":1}'],
    ['a later version', changed((file) => (file['version'] = 2))],
    ['a title that is no text', changed((file) => (file.conversations[0]!['title'] = {}))],
    ['an id that is no identifier', changed((file) => (file.conversations[0]!['id'] = '"><img>'))],
    [
      'a turn of a strange role',
      changed((file) => ((file.conversations[0]!['turns'] as Record<string, unknown>[])[0]!['role'] = 'system')),
    ],
    [
      'a turn twice',
      changed((file) =>
        (file.conversations[0]!['turns'] as unknown[]).push((file.conversations[0]!['turns'] as unknown[])[0]),
      ),
    ],
    ['a turn before its parent', changed((file) => (file.conversations[0]!['turns'] as unknown[]).reverse())],
    ['a time out of range', changed((file) => (file.conversations[0]!['created'] = 1e300))],
    [
      'calls that are no list',
      changed((file) => ((file.conversations[0]!['turns'] as Record<string, unknown>[])[1]!['calls'] = {})),
    ],
  ])('refuses %s', (_, text) => {
    expect(() => importJson(text, new Map(), ids())).toThrow(ImportError);
  });

  it('takes over no unknown fields, no false choices and no growing turn', () => {
    const [one] = importJson(
      changed((file) => {
        const conversation = file.conversations[0]!;
        conversation['__proto__x'] = 1;
        conversation['chosen'] = { root: 'q', q: 'nowhere', t: 'q' };
        (conversation['turns'] as Record<string, unknown>[])[1]!['state'] = 'growing';
      }),
      new Map(),
      ids(),
    );
    expect(Object.keys(one!).sort()).toEqual(Object.keys(full()).sort());
    expect(one!.chosen).toEqual({ root: 'q' });
    expect(one!.turns[1]!.state).toBe('interrupted');
  });

  it('writes what is shown as Markdown', () => {
    const text = exportMarkdown(full(), { user: 'You', assistant: 'It', tool: 'Tool', thinking: 'Thinking' });
    expect(text).toBe(
      '# T\n\n## You\n\nFile: a.txt\n```\nａｌｐｈａ file\n```\n\n问题 <b>\n\n## It\n\n> **Thinking**\n>\n> hm\n> hm\n\nanswer\n\n```json\nclock({})\n```\n\n## Tool\n\nnoon\n',
    );
    expect(fileName('a/b: c?', 'md')).toBe('a b c.md');
    expect(fileName('', 'md')).toBe('inkstone.md');
  });
});

describe('search', () => {
  const talks = [full(), { ...newConversation('other', 2), title: 'Ｆｕｌｌ width' }];
  const where = (query: string): string[] =>
    search(talks, query).map((found) => `${found.conversation}:${found.turn ?? 'title'}`);
  it('finds in all branches, titles and files, whatever the form of the letters', () => {
    expect(where('OTHER')).toEqual(['talk:a2']);
    expect(where('full')).toEqual(['other:title']);
    expect(where('alpha')).toEqual(['talk:q']);
    expect(where('题')).toEqual(['talk:q']);
    expect(where('file alpha')).toEqual(['talk:q']);
    expect(where('file nowhere')).toEqual([]);
    expect(where('  ')).toEqual([]);
  });
  it('shows the place', () => {
    const found = search([{ ...full(), title: 'x'.repeat(100) + ' needle ' + 'y'.repeat(100) }], 'Needle')[0]!;
    expect(found.match).toBe('needle');
    expect(found.before.startsWith('…x')).toBe(true);
    expect(found.after.endsWith('y…')).toBe(true);
  });
});

describe('attached files', () => {
  const bytes = (...values: number[]): Uint8Array => new Uint8Array(values);
  it('are read as UTF-8, UTF-16 with a mark, or GB 18030, and refused as anything else', () => {
    expect(decodeText(new TextEncoder().encode('砚台 ink'))).toBe('砚台 ink');
    expect(decodeText(bytes(0xff, 0xfe, 0x60, 0x4f))).toBe('你');
    expect(decodeText(bytes(0xc4, 0xe3, 0xba, 0xc3))).toBe('你好');
    expect(decodeText(bytes(0x7f, 0x45, 0x4c, 0x46, 0, 0))).toBeNull();
    expect(decodeText(bytes(0x25, 0x50, 0x44, 0x46, 0x01, 0x02))).toBeNull();
  });

  it('have limits, which hold for each and for all', async () => {
    const file = (size: number): File => new File(['x'.repeat(size)], 'x.txt');
    expect(await readFile(file(kMaxFileBytes + 1), 0)).toEqual({ refused: 'too_large', name: 'x.txt' });
    expect(await readFile(file(10), kMaxAllBytes - 5)).toEqual({ refused: 'too_large', name: 'x.txt' });
    expect(await readFile(file(10), kMaxAllBytes - 10)).toHaveProperty('attachment');
    expect(await readFile(new File([bytes(0, 1) as Uint8Array<ArrayBuffer>], 'b.bin'), 0)).toEqual({
      refused: 'not_text',
      name: 'b.bin',
    });
  });

  it('cannot imitate their own end', () => {
    expect(withAttachments('Q', [{ name: 'a`\nb.md', text: 'x\n````\ny' }])).toBe(
      'File: ab.md\n`````\nx\n````\ny\n`````\n\nQ',
    );
    expect(withAttachments('Q')).toBe('Q');
    expect(withAttachments('', [{ name: 'a', text: '' }])).toBe('File: a\n```\n\n```');
  });
});
