// Markdown to what is shown: the wall against what a model could write, mathematics, code, and what is heard.
import { describe, expect, it } from 'vitest';
import { Announcer } from '../src/markdown/announce';
import { renderBlocks } from '../src/markdown/render';
import { sanitise } from '../src/markdown/sanitise';

function html(source: string): string {
  const place = document.createElement('div');
  for (const block of renderBlocks(source)) place.append(sanitise(block));
  return place.innerHTML;
}
function wall(raw: string): HTMLElement {
  const place = document.createElement('div');
  place.append(sanitise(raw));
  return place;
}

// Known ways in, as Markdown that a model could write and as HTML in case a rule of the first wall has a hole.
const kAttacks = [
  '<script>alert(1)</script>',
  '<img src=x onerror=alert(1)>',
  '<svg onload=alert(1)>',
  '<svg><script>alert(1)</script></svg>',
  '<iframe src="javascript:alert(1)"></iframe>',
  '<a href="javascript:alert(1)">x</a>',
  '<a href="JaVaScRiPt:alert(1)">x</a>',
  '<a href="java&#10;script:alert(1)">x</a>',
  '<a href="&#x6a;avascript:alert(1)">x</a>',
  '<a href="data:text/html,<script>alert(1)</script>">x</a>',
  '<a href="vbscript:x">x</a>',
  '<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>',
  '<math href="javascript:alert(1)">x</math>',
  '<math><maction actiontype="statusline#http://x" xlink:href="javascript:alert(1)">x</maction></math>',
  '<form action="https://evil.example"><input name=a><button>go</button></form>',
  '<style>@import "https://evil.example"</style>',
  '<p style="background:url(https://evil.example)">x</p>',
  '<link rel=stylesheet href=https://evil.example>',
  '<base href="https://evil.example">',
  '<meta http-equiv=refresh content="0;url=https://evil.example">',
  '<object data="x"></object>',
  '<embed src=x>',
  '<video src=x onerror=alert(1)>',
  '<details open ontoggle=alert(1)>x</details>',
  '<input autofocus onfocus=alert(1)>',
  '<textarea><script>alert(1)</script></textarea>',
  '<noscript><p title="</noscript><img src=x onerror=alert(1)>">',
  '<template><img src=x onerror=alert(1)></template>',
  '<xss contenteditable onblur=alert(1)>',
  '<a id="page" name="message">clobber</a>',
  '<img name=body src=x>',
  '[x](javascript:alert(1))',
  '[x](<java\nscript:alert(1)>)',
  '[x](data:text/html;base64,PHNjcmlwdD4=)',
  '![x](javascript:alert(1))',
  '![x](data:image/svg+xml,<svg onload=alert(1)>)',
  '<javascript:alert(1)>',
  '[x]: javascript:alert(1)\n\n[x]',
  '```"><img src=x onerror=alert(1)>\ncode\n```',
  '$\\href{javascript:alert(1)}{x}$',
  '$\\url{javascript:alert(1)}$',
  '$\\htmlData{x=y}{z}$',
  '$\\class{evil}{x}$',
  '$\\style{background:url(https://evil.example)}{x}$',
  '$\\includegraphics{https://evil.example/x.png}$',
  '$\\text{<img src=x onerror=alert(1)>}$',
  '| a |\n|--|\n| <img src=x onerror=alert(1)> |',
  '[a](https://e.example "onmouseover=alert(1) x=\'")',
  'https://e.example/"onmouseover="alert(1)',
];

describe('the wall', () => {
  it.each(kAttacks)('lets nothing through: %s', (attack) => {
    for (const place of [wall(attack), wall(html(attack))]) {
      for (const element of place.querySelectorAll('*')) {
        expect([
          'SCRIPT',
          'IFRAME',
          'STYLE',
          'FORM',
          'INPUT',
          'BUTTON',
          'OBJECT',
          'EMBED',
          'LINK',
          'META',
          'BASE',
          'SVG',
          'VIDEO',
          'IMG',
          'TEXTAREA',
          'TEMPLATE',
        ]).not.toContain(element.tagName.toUpperCase());
        for (const { name, value } of element.attributes) {
          expect(name).not.toMatch(/^(on|style$|id$|name$|srcdoc$|xlink|action$|formaction$|src$)/i);
          if (name === 'href') expect(value).toMatch(/^(https?:|mailto:|#)/i);
          if (name === 'class') expect(value).not.toContain('evil');
        }
      }
    }
  });

  it('makes a picture of another host a link, and never fetches it', () => {
    const place = wall(html('![a cat](https://e.example/cat.png)'));
    expect(place.querySelector('img')).toBeNull();
    expect(place.querySelector('a')!.getAttribute('href')).toBe('https://e.example/cat.png');
  });

  it('gives every link what keeps the page to itself', () => {
    const link = wall(html('[x](https://e.example)')).querySelector('a')!;
    expect(link.rel).toBe('noopener noreferrer nofollow');
    expect(link.target).toBe('_blank');
  });
});

describe('Markdown', () => {
  it('makes blocks that stay the same while the text grows', () => {
    const text = '# 标题\n\n第一段。\n\n- a\n- b\n\n```js\nlet x = 1;\n```\n\nlast';
    const whole = renderBlocks(text);
    expect(whole).toHaveLength(5);
    for (let end = text.length - 6; end < text.length; ++end)
      expect(renderBlocks(text.slice(0, end)).slice(0, 3)).toEqual(whole.slice(0, 3));
  });

  it('colours code it knows, and shows the rest as it is', () => {
    expect(html('```python\ndef f(): pass\n```')).toContain('hljs-keyword');
    expect(html('```unknown\n<b>\n```')).toContain('&lt;b&gt;');
    expect(html('```js\nconst a = "<b>"')).toContain('data-language="js"'); // not closed yet
  });

  it('aligns table columns by classes, not styles', () => {
    const table = html('| a | b |\n|:-:|--:|\n| 1 | 2 |');
    expect(table).toContain('class="to-centre"');
    expect(table).toContain('class="to-right"');
    expect(table).not.toContain('style');
    expect(table).toContain('scope="col"');
  });

  it('finds formulas, and leaves prices alone', () => {
    expect(html('so $a^2$ and \\(b\\)').match(/<math/g)).toHaveLength(2);
    expect(html('it costs $5 or $6')).not.toContain('<math');
    expect(html('it costs \\$5$')).not.toContain('<math');
    expect(html('$$\\frac12$$')).toContain('display="block"');
    expect(html('before\n\\[\nx\n\\]\nafter').match(/<math/g)).toHaveLength(1);
    expect(html('`$a$`')).not.toContain('<math');
    expect(html('$\\frac{1}{$')).toContain('math-source');
    expect(html('$$\nx = 1\n')).not.toContain('<p>$$'); // not closed yet: it is a formula already
    expect(html('$\\color{red}x$')).not.toContain('style');
  });

  it.each(['$', '$a ', '$$\n', '\\[', '[', '`', '*a ', '> ', '|', '![', '<a '])(
    'comes to an end with thousands of %j',
    (piece) => {
      expect(renderBlocks(piece.repeat(3000)).length).toBeGreaterThan(0); // vitest's own limit is 5 s
    },
  );
});

describe('what is heard', () => {
  it('is whole paragraphs, once each, without marks and code', () => {
    const announcer = new Announcer('Code:');
    const text = '# 标题\n\nFirst **bold** [link](https://x).\n\n```\nx = 1\n\ny = 2\n```\n\nlast words';
    const heard: string[] = [];
    for (let end = 0; end <= text.length; ++end) {
      const next = announcer.next(text.slice(0, end), false);
      if (next) heard.push(next);
    }
    expect(heard).toEqual(['标题', 'First bold link.', 'Code:']);
    expect(announcer.next(text, true)).toBe('last words');
    expect(announcer.next(text, true)).toBe('');
  });
});
