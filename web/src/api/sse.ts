// Server-sent events from a stream of text, whatever the pieces it arrives in (the WHATWG rules: lines end with
// LF, CR or CRLF; "data" lines of an event are joined with LF; a line that begins with a colon is a comment).
// EventSource itself cannot be used: it cannot POST. A half event at the end is dropped, as the standard says.

export interface ServerEvent {
  event: string;
  data: string;
}

export class EventReader {
  private rest = '';
  private first = true;
  private event = '';
  private data: string[] = [];

  // Takes the next piece and returns the events that it completes.
  push(piece: string): ServerEvent[] {
    if (this.first && piece.length > 0) {
      this.first = false;
      if (piece.charCodeAt(0) === 0xfeff) piece = piece.slice(1);
    }
    const text = this.rest + piece;
    const events: ServerEvent[] = [];
    let start = 0;
    for (let i = 0; i < text.length; ++i) {
      const c = text[i];
      if (c !== '\n' && c !== '\r') continue;
      // A CR at the very end may be the first half of a CRLF: wait for the next piece.
      if (c === '\r' && i + 1 === text.length) break;
      this.line(text.slice(start, i), events);
      if (c === '\r' && text[i + 1] === '\n') ++i;
      start = i + 1;
    }
    this.rest = text.slice(start);
    return events;
  }

  private line(line: string, events: ServerEvent[]): void {
    if (line === '') {
      if (this.data.length > 0) events.push({ event: this.event || 'message', data: this.data.join('\n') });
      this.event = '';
      this.data = [];
      return;
    }
    const colon = line.indexOf(':');
    if (colon === 0) return;
    const field = colon < 0 ? line : line.slice(0, colon);
    let value = colon < 0 ? '' : line.slice(colon + 1);
    if (value.startsWith(' ')) value = value.slice(1);
    if (field === 'data') this.data.push(value);
    else if (field === 'event') this.event = value;
  }
}

// The events of a response's body. Characters that were cut in two by the network come out whole.
export async function* readEvents(body: ReadableStream<Uint8Array>): AsyncGenerator<ServerEvent> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  const events = new EventReader();
  try {
    for (;;) {
      const { value, done } = await reader.read();
      const text = done ? decoder.decode() : decoder.decode(value, { stream: true });
      yield* events.push(text);
      if (done) return;
    }
  } finally {
    // Leaving early (a stop) must close the connection: the server frees its memory at once then.
    await reader.cancel().catch(() => undefined);
  }
}
