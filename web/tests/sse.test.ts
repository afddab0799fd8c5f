// Server-sent events, cut in every way that a network can cut them.
import { describe, expect, it } from 'vitest';
import { EventReader, readEvents, type ServerEvent } from '../src/api/sse';

const all = (pieces: string[]): ServerEvent[] => {
  const reader = new EventReader();
  return pieces.flatMap((piece) => reader.push(piece));
};
const data = (pieces: string[]): string[] => all(pieces).map((event) => event.data);

const kStream =
  '\ufeff: hello\r\ndata: {"a":"你好"}\r\n\r\ndata:one\ndata: two\n\n: ping\n\nevent: end\rdata: [DONE]\r\rid: 7\nretry: 3\ndata\n\ndata: lost';
const kExpected = ['{"a":"你好"}', 'one\ntwo', '[DONE]', ''];

describe('server-sent events', () => {
  it('reads lines that end in LF, CR and CRLF, joins data, skips comments, drops a half event', () => {
    expect(data([kStream])).toEqual(kExpected);
    expect(all([kStream])[2]!.event).toBe('end');
    expect(all([kStream])[3]!.event).toBe('message');
  });

  it('gives the same for every way to cut the stream in two', () => {
    for (let cut = 0; cut <= kStream.length; ++cut)
      expect(data([kStream.slice(0, cut), kStream.slice(cut)])).toEqual(kExpected);
  });

  it('gives the same letter by letter, and for pieces of every size', () => {
    for (let size = 1; size < 12; ++size) {
      const pieces: string[] = [];
      for (let at = 0; at < kStream.length; at += size) pieces.push(kStream.slice(at, at + size));
      expect(data(pieces)).toEqual(kExpected);
    }
  });

  it('keeps characters whole that the network cuts, byte by byte', async () => {
    const bytes = new TextEncoder().encode('data: 砚台🖋️\n\n');
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        for (const byte of bytes) controller.enqueue(new Uint8Array([byte]));
        controller.close();
      },
    });
    const events: ServerEvent[] = [];
    for await (const event of readEvents(body)) events.push(event);
    expect(events.map((event) => event.data)).toEqual(['砚台🖋️']);
  });

  it('closes the connection when the reader leaves early', async () => {
    let cancelled = false;
    const body = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(new TextEncoder().encode('data: x\n\n')),
      cancel: () => void (cancelled = true),
    });
    for await (const event of readEvents(body)) {
      expect(event.data).toBe('x');
      break;
    }
    expect(cancelled).toBe(true);
  });
});
