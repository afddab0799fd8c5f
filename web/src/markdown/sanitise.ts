// The wall between what a model writes and the page. markdown-it already passes no HTML through; this is the second
// wall, which holds even if a rule of ours or of a library has a hole. Allowed is what Markdown and MathML can make,
// and no more: no style, no class but ours, no form, no frame, no address but http(s), mailto and fragments.
// Pictures of other hosts are not fetched (the policy forbids it): each becomes a link that says where it leads.
import createPurify, { type DOMPurify } from 'dompurify';

const kTags = [
  'p',
  'br',
  'hr',
  'h1',
  'h2',
  'h3',
  'h4',
  'h5',
  'h6',
  'ul',
  'ol',
  'li',
  'blockquote',
  'em',
  'strong',
  's',
  'del',
  'code',
  'pre',
  'a',
  'table',
  'thead',
  'tbody',
  'tr',
  'th',
  'td',
  'span',
  'div',
  'sup',
  'sub',
  'img',
  'math',
  'mrow',
  'mi',
  'mn',
  'mo',
  'ms',
  'mtext',
  'mspace',
  'mfrac',
  'msqrt',
  'mroot',
  'mstyle',
  'merror',
  'mpadded',
  'mphantom',
  'msub',
  'msup',
  'msubsup',
  'munder',
  'mover',
  'munderover',
  'mmultiscripts',
  'mprescripts',
  'mtable',
  'mtr',
  'mtd',
  'menclose',
];
const kAttributes = [
  'href',
  'title',
  'class',
  'start',
  'alt',
  'src',
  'tabindex',
  'data-language',
  'scope',
  'display',
  'displaystyle',
  'scriptlevel',
  'mathvariant',
  'stretchy',
  'fence',
  'separator',
  'form',
  'accent',
  'accentunder',
  'lspace',
  'rspace',
  'movablelimits',
  'largeop',
  'symmetric',
  'minsize',
  'maxsize',
  'width',
  'height',
  'depth',
  'voffset',
  'linethickness',
  'columnspan',
  'rowspan',
  'columnalign',
  'rowspacing',
  'columnspacing',
  'notation',
];
const kClass =
  /^(hljs-[a-z_-]+|to-(left|right|centre)|formula|math-source|table-frame|tml-[a-z-]+|function_|class_|inherited__|language_|built_in_)$/;

let purify: DOMPurify | null = null;

function wall(): DOMPurify {
  if (purify) return purify;
  purify = createPurify(window);
  purify.setConfig({
    ALLOWED_TAGS: kTags,
    ALLOWED_ATTR: kAttributes,
    ALLOW_DATA_ATTR: false,
    ALLOW_ARIA_ATTR: false,
    ALLOWED_URI_REGEXP: /^(?:https?:|mailto:|#)/i,
    ADD_URI_SAFE_ATTR: kAttributes.filter((name) => name !== 'href' && name !== 'src'), // otherwise each must look like an address
    ADD_DATA_URI_TAGS: [],
    FORBID_ATTR: ['style', 'id', 'name'],
    RETURN_DOM_FRAGMENT: true,
  });
  purify.addHook('uponSanitizeAttribute', (_node, event) => {
    if (event.attrName !== 'class') return;
    event.attrValue = event.attrValue
      .split(/\s+/)
      .filter((name) => kClass.test(name))
      .join(' ');
    if (event.attrValue === '') event.keepAttr = false;
  });
  return purify;
}

export function sanitise(html: string): DocumentFragment {
  const fragment = wall().sanitize(html) as unknown as DocumentFragment; // what RETURN_DOM_FRAGMENT gives
  for (const image of fragment.querySelectorAll('img')) image.replaceWith(linkInstead(image));
  for (const link of fragment.querySelectorAll('a')) {
    if (!link.hasAttribute('href')) continue;
    // The other page learns nothing of this one, and a person sees in the status where it leads.
    link.setAttribute('rel', 'noopener noreferrer nofollow');
    link.setAttribute('target', '_blank');
    link.setAttribute('referrerpolicy', 'no-referrer');
  }
  return fragment;
}

function linkInstead(image: HTMLImageElement): Node {
  const source = image.getAttribute('src') ?? '';
  const text = image.getAttribute('alt') || source || '…';
  if (!/^https?:/i.test(source)) return document.createTextNode(text);
  const link = document.createElement('a');
  link.setAttribute('href', source);
  link.textContent = `🖼 ${text}`;
  return link;
}
