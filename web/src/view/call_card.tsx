// A tool's call, as what it did: its name, what it was given, what it answered. Where nothing in the page runs it, a
// person can hand over the answer.
import { useState } from 'preact/hooks';
import type { JSX } from 'preact';
import type { Call } from '../api/answer';
import { useSpeech } from './app_context';
import { ToolIcon } from './icons';

interface Properties {
  call: Call;
  result: string | undefined;
  isGrowing: boolean;
  canAnswer: boolean;
  onAnswer(text: string): void;
}

export function CallCard({ call, result, isGrowing, canAnswer, onAnswer }: Properties): JSX.Element {
  const { t } = useSpeech();
  const [text, setText] = useState('');
  return (
    <section
      class="call"
      aria-label={`${t(result === undefined ? 'call.asked' : 'call.title')}: ${readableName(call.name)}`}
    >
      <header class="call-head">
        <ToolIcon />
        <strong>{readableName(call.name)}</strong>
        <code>{call.name}</code>
      </header>
      <Arguments text={call.arguments} isGrowing={isGrowing} />
      {result !== undefined && (
        <div class="call-result">
          <span class="call-label">{t('call.result')}</span>
          <pre tabIndex={0} aria-label={t('call.result')} role="group">
            {result}
          </pre>
        </div>
      )}
      {canAnswer && (
        <form
          class="call-form"
          onSubmit={(event) => {
            event.preventDefault();
            if (text.trim() !== '') onAnswer(text);
          }}
        >
          <p>{t('call.waiting')}</p>
          <textarea
            rows={2}
            value={text}
            aria-label={t('call.label', { name: call.name })}
            onInput={(event) => setText(event.currentTarget.value)}
          />
          <button type="submit" class="primary" disabled={text.trim() === ''}>
            {t('call.send')}
          </button>
        </form>
      )}
    </section>
  );
}

// set_light_brightness, setLightBrightness → Set light brightness
export function readableName(name: string): string {
  const words = name
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .replace(/[_-]+/g, ' ')
    .trim()
    .toLowerCase();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

// JSON as a list of names and values; as it is while it is not whole.
function Arguments({ text, isGrowing }: { text: string; isGrowing: boolean }): JSX.Element {
  const { t } = useSpeech();
  let parsed: unknown;
  try {
    parsed = JSON.parse(text || '{}');
  } catch {
    return (
      <pre class="call-raw" tabIndex={0}>
        {text}
        {isGrowing ? '…' : ''}
      </pre>
    );
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed))
    return (
      <pre class="call-raw" tabIndex={0}>
        {text}
      </pre>
    );
  const entries = Object.entries(parsed);
  if (entries.length === 0) return <p class="call-none">{t('call.none')}</p>;
  return (
    <dl class="call-arguments">
      {entries.map(([name, value]) => (
        <div key={name}>
          <dt>{name.replace(/_/g, ' ')}</dt>
          <dd>{typeof value === 'string' ? value : <code>{JSON.stringify(value)}</code>}</dd>
        </div>
      ))}
    </dl>
  );
}
