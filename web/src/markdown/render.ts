// Markdown to blocks. A growing answer is parsed whole on every change (about a millisecond for a long one), because
// what a line means can depend on lines far above it, but made into nodes block by block: only blocks whose HTML has
// changed are sanitised and put into the page again, so text that was there stays selectable while the rest grows.
import MarkdownItCallable, { type MarkdownIt, type Token } from 'markdown-it';
import { highlight } from './code';
import { addMath } from './math';

const markdown: MarkdownIt = MarkdownItCallable({ html: false, linkify: true, breaks: true, typographer: false });
addMath(markdown);
markdown.linkify.set({ fuzzyLink: false, fuzzyEmail: false, fuzzyIP: false }); // "a.py" is no address

const kAlign: Record<string, string> = {
  'text-align:left': 'to-left',
  'text-align:right': 'to-right',
  'text-align:center': 'to-centre',
};
for (const rule of ['th_open', 'td_open']) {
  markdown.renderer.rules[rule] = (tokens, index, options, _env, self) => {
    const token = tokens[index]!;
    const aligned = kAlign[token.attrGet('style') ?? ''];
    token.attrs = aligned ? [['class', aligned]] : null; // a style attribute would be against the policy
    if (rule === 'th_open') token.attrSet('scope', 'col');
    return self.renderToken(tokens, index, options);
  };
}
// A wide table scrolls by itself, also with the keyboard.
markdown.renderer.rules['table_open'] = () => '<div class="table-frame" tabindex="0"><table>\n';
markdown.renderer.rules['table_close'] = () => '</table></div>\n';
markdown.renderer.rules['fence'] = (tokens, index) => {
  const token = tokens[index]!;
  return codeBlock(token.content, token.info.trim().split(/\s+/)[0] ?? '');
};
markdown.renderer.rules['code_block'] = (tokens, index) => codeBlock(tokens[index]!.content, '');

function codeBlock(code: string, name: string): string {
  const language = name.toLowerCase();
  const inside = highlight(code, language) || markdown.utils.escapeHtml(code);
  return `<pre tabindex="0" data-language="${markdown.utils.escapeHtml(name)}"><code>${inside}</code></pre>\n`;
}

// The HTML of each top-level block, not yet sanitised.
export function renderBlocks(text: string): string[] {
  const env = {};
  const tokens = markdown.parse(text, env);
  const blocks: string[] = [];
  let start = 0;
  let depth = 0;
  tokens.forEach((token: Token, index: number) => {
    depth += token.nesting;
    if (depth !== 0) return;
    blocks.push(markdown.renderer.render(tokens.slice(start, index + 1), markdown.options, env));
    start = index + 1;
  });
  return blocks;
}
