// Shows a text as Markdown. Each top-level block is a node of its own, whose inside is replaced only when its HTML has
// changed (see markdown/render.ts). Copy buttons are added here, after the wall, so that no text can make one.
import { memo } from 'preact/compat';
import { useLayoutEffect, useMemo, useRef } from 'preact/hooks';
import type { JSX } from 'preact';
import { renderBlocks } from '../markdown/render';
import { sanitise } from '../markdown/sanitise';
import { useSpeech } from './app_context';
import { copyText } from './copy';

export function MarkdownView({ text }: { text: string }): JSX.Element {
  const blocks = useMemo(() => renderBlocks(text), [text]);
  return (
    <div class="markdown" dir="auto">
      {blocks.map((html, index) => (
        <Block key={index} html={html} />
      ))}
    </div>
  );
}

const Block = memo(function Block({ html }: { html: string }): JSX.Element {
  const place = useRef<HTMLDivElement>(null);
  const { t, language } = useSpeech();
  useLayoutEffect(() => {
    const fragment = sanitise(html);
    for (const code of fragment.querySelectorAll('pre'))
      frameCode(code, t('code.copy'), t('turn.copied'), t('code.plain'));
    for (const math of fragment.querySelectorAll('.formula')) math.setAttribute('role', 'group');
    place.current?.replaceChildren(fragment);
  }, [html, language]);
  return <div class="block" ref={place} />;
});

function frameCode(code: HTMLPreElement, copy: string, copied: string, plain: string): void {
  const frame = document.createElement('div');
  frame.className = 'code-frame';
  const head = document.createElement('div');
  head.className = 'code-head';
  const name = document.createElement('span');
  name.textContent = code.dataset['language'] || plain;
  const button = document.createElement('button');
  button.type = 'button';
  button.className = 'quiet code-copy';
  button.textContent = copy;
  button.addEventListener('click', () => {
    void copyText(code.textContent ?? '').then(() => {
      button.textContent = copied;
      setTimeout(() => (button.textContent = copy), 2000);
    });
  });
  head.append(name, button);
  code.setAttribute('aria-label', name.textContent);
  code.setAttribute('role', 'group');
  code.replaceWith(frame);
  frame.append(head, code);
}
