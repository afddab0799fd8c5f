// What a screen reader hears of a growing answer: whole paragraphs, not letters, and code only as "Code". Fed with the
// whole text each time, it gives what is new and complete; at the end, the rest.

export class Announcer {
  private said = 0; // characters of the text that are done with
  private inCode = false;

  constructor(private readonly codeWord: string) {}

  next(text: string, ended: boolean): string {
    const cut = ended ? text.length : text.lastIndexOf('\n\n');
    if (cut <= this.said) return '';
    const piece = text.slice(this.said, cut);
    this.said = cut;
    return this.plain(piece);
  }

  private plain(piece: string): string {
    const spoken: string[] = [];
    for (const line of piece.split('\n')) {
      if (/^\s*(```|~~~)/.test(line)) {
        if (!this.inCode) spoken.push(this.codeWord);
        this.inCode = !this.inCode;
      } else if (!this.inCode) {
        spoken.push(
          line
            .replace(/^\s*(#{1,6}|>|[-*+]|\d+\.)\s+/, '')
            .replace(/\*\*|__|`/g, '')
            .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1'),
        );
      }
    }
    return spoken
      .join(' ')
      .replace(/\|[\s:|-]*\|/g, ' ')
      .replace(/\s+/g, ' ')
      .trim();
  }
}
