// What went wrong, in plain words, and what to do about it.
import { useEffect, useState } from 'preact/hooks';
import type { JSX } from 'preact';
import type { Fault } from '../api/faults';
import { useSpeech } from './app_context';
import type { WordKey } from '../words/words';

export function FaultView({
  fault,
  disabled,
  onRetry,
}: {
  fault: Fault;
  disabled: boolean;
  onRetry(): void;
}): JSX.Element {
  const { t } = useSpeech();
  const [waiting, setWaiting] = useState(Math.min(fault.retryAfter ?? 0, 600));
  useEffect(() => {
    if (waiting <= 0) return;
    const timer = setTimeout(() => setWaiting(waiting - 1), 1000);
    return () => clearTimeout(timer);
  }, [waiting]);
  return (
    <div class="fault">
      <p>
        <strong>{t(`fault.${fault.kind}` as WordKey)}</strong> {t(`fault.${fault.kind}.todo` as WordKey)}
      </p>
      {fault.detail !== '' && (
        <details>
          <summary>{t('fault.detail')}</summary>
          <p class="fault-detail" lang="en">
            {fault.detail}
          </p>
        </details>
      )}
      <button type="button" disabled={disabled} onClick={onRetry}>
        {waiting > 0 ? t('fault.retry_in', { seconds: Math.ceil(waiting) }) : t('fault.retry')}
      </button>
    </div>
  );
}
