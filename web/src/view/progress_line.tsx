// What an answer is doing before and while it grows.
import type { JSX } from 'preact';
import { useSelected, useSpeech } from './app_context';

export function ProgressLine({ conversation, quiet }: { conversation: string; quiet: boolean }): JSX.Element {
  const { t, format } = useSpeech();
  const running = useSelected((state) => state.running[conversation]);
  const progress = running?.progress;
  const isReading = running && running.pieces === 0 && progress && progress.done < progress.total;
  const text =
    quiet || (running && running.pieces > 0)
      ? ''
      : isReading
        ? t('progress.reading', { percent: format.percent(progress.done / progress.total) })
        : t('progress.waiting');
  return (
    <p class="progress">
      <span class="drops" aria-hidden="true">
        <i />
        <i />
        <i />
      </span>
      {text}
    </p>
  );
}
