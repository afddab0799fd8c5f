// Mathematics in Markdown: $…$ and \(…\) in a line, $$…$$ and \[…\] on their own. Pandoc's rules for the dollar keep
// prices apart from formulas: no space after the opening one, none before the closing one, no digit after it.
// Temml makes MathML, which browsers draw themselves: no fonts, no style attributes (the policy forbids those; Temml
// writes a few for colours and distances, which are taken out here).
import type { MarkdownIt, StateBlock, StateInline } from 'markdown-it';
import temml from 'temml';

const kLongest = 10_000; // characters of one formula; Temml is quick, but not on megabytes

export function renderMath(source: string, display: boolean): string {
  if (source.length > kLongest) return fallback(source);
  try {
    const html = temml.renderToString(source, {
      displayMode: display,
      throwOnError: true,
      trust: false,
      strict: false,
      maxExpand: 200,
      maxSize: [20, 20],
    });
    return html.replace(/ style="[^"]*"/g, '');
  } catch {
    return fallback(source);
  }
}

const escapeHtml = (text: string): string =>
  text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;').replace(/"/g, '&quot;');
const fallback = (source: string): string => `<code class="math-source">${escapeHtml(source)}</code>`;

function pushFormula(state: StateInline, source: string, display: boolean): void {
  const token = state.push('formula', 'math', 0);
  token.content = source;
  token.markup = display ? '$$' : '$';
}

// \( … \) and \[ … \]: must come before the rule for backslashes.
function bracketRule(state: StateInline, silent: boolean): boolean {
  const open = state.src.slice(state.pos, state.pos + 2);
  if (open !== '\\(' && open !== '\\[') return false;
  const close = open === '\\(' ? '\\)' : '\\]';
  const end = state.src.indexOf(close, state.pos + 2);
  if (end < 0 || end >= state.posMax) return false;
  const source = state.src.slice(state.pos + 2, end).trim();
  if (source === '') return false;
  if (!silent) pushFormula(state, source, open === '\\[');
  state.pos = end + 2;
  return true;
}

function dollarRule(state: StateInline, silent: boolean): boolean {
  const { src, pos, posMax } = state;
  if (src[pos] !== '$') return false;
  const size = src[pos + 1] === '$' ? 2 : 1;
  const start = pos + size;
  if (start >= posMax || (size === 1 && /\s/.test(src[start]!))) return false;
  let end = start;
  for (;;) {
    end = src.indexOf('$', end);
    if (end < 0 || end + size > posMax) return false;
    let escapes = 0;
    while (src[end - 1 - escapes] === '\\') ++escapes;
    const closes = size === 2 ? src[end + 1] === '$' : !/\s/.test(src[end - 1]!) && !/\d/.test(src[end + 1] ?? '');
    if (escapes % 2 === 0 && closes && end > start) break;
    if (size === 1 && escapes % 2 === 0) return false; // a price, most likely
    ++end;
  }
  if (!silent) pushFormula(state, src.slice(start, end).trim(), size === 2);
  state.pos = end + size;
  return true;
}

// A formula with lines of its own. Not closed yet, while it streams: everything to the end belongs to it.
function blockRule(state: StateBlock, startLine: number, endLine: number, silent: boolean): boolean {
  const lineOf = (line: number): string =>
    state.src.slice(state.bMarks[line]! + state.tShift[line]!, state.eMarks[line]).trimEnd();
  const first = lineOf(startLine);
  const open = first.startsWith('$$') ? '$$' : first.startsWith('\\[') ? '\\[' : '';
  if (open === '') return false;
  const close = open === '$$' ? '$$' : '\\]';
  const parts: string[] = [];
  let line = startLine;
  let closed = false;
  for (let rest = first.slice(2); ; rest = lineOf(line)) {
    const at = rest.indexOf(close);
    if (at >= 0) {
      if (rest.slice(at + 2).trim() !== '') return false; // text follows: it belongs into a line
      parts.push(rest.slice(0, at));
      closed = true;
      break;
    }
    parts.push(rest);
    if (++line >= endLine || state.isEmpty(line)) break;
  }
  if (!closed && (line < endLine || startLine === line - 1)) return false;
  if (silent) return true;
  const token = state.push('formula_block', 'math', 0);
  token.block = true;
  token.content = parts.join('\n').trim();
  token.map = [startLine, line + (closed ? 1 : 0)];
  state.line = line + (closed ? 1 : 0);
  return true;
}

export function addMath(markdown: MarkdownIt): void {
  markdown.inline.ruler.before('escape', 'formula_bracket', bracketRule);
  markdown.inline.ruler.before('escape', 'formula_dollar', dollarRule);
  markdown.block.ruler.before('fence', 'formula_block', blockRule, {
    alt: ['paragraph', 'reference', 'blockquote', 'list'],
  });
  markdown.renderer.rules['formula'] = (tokens, index) =>
    renderMath(tokens[index]!.content, tokens[index]!.markup === '$$');
  markdown.renderer.rules['formula_block'] = (tokens, index) =>
    `<div class="formula" tabindex="0">${renderMath(tokens[index]!.content, true)}</div>\n`;
}
