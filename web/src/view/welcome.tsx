// Before the first word: a greeting, and four ways to begin.
import type { JSX } from 'preact';
import type { WordKey } from '../words/words';
import { useApp, useSpeech } from './app_context';
import { Mark } from './icons';

export function Welcome(): JSX.Element {
  const { actions } = useApp();
  const { t } = useSpeech();
  return (
    <div class="welcome">
      <Mark />
      <h2>{t('empty.greeting')}</h2>
      <p>{t('empty.note')}</p>
      <ul class="starts">
        {[1, 2, 3, 4].map((n) => (
          <li key={n}>
            <button
              type="button"
              class="start"
              onClick={() => {
                actions.draft({ text: t(`empty.prompt_${n}` as WordKey) });
                const area = document.getElementById('message') as HTMLTextAreaElement | null;
                area?.focus();
                requestAnimationFrame(() => area?.setSelectionRange(area.value.length, area.value.length));
              }}
            >
              {t(`empty.start_${n}` as WordKey)}
            </button>
          </li>
        ))}
      </ul>
    </div>
  );
}
