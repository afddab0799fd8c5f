// What the machine does: the last answer's numbers, what runs now, and what the program has done since it started.
// Nothing is guessed: a number that the program does not give is "not measured".
import { useEffect } from 'preact/hooks';
import type { ComponentChildren, JSX } from 'preact';
import type { Figures } from '../api/answer';
import { currentConversation, listed, type State } from '../state/state';
import { pathOf, type Turn } from '../talk/turns';
import { useApp, useSelected, useSpeech } from './app_context';
import { CloseIcon } from './icons';

const kEveryMs = 2000;

// Of the conversation that is shown, or else of the newest one.
function lastFigures(state: State): Figures | null {
  const conversation = currentConversation(state) ?? listed(state.conversations)[0];
  if (!conversation) return null;
  const measured = (turn: Turn): boolean => turn.figures?.completionTokens !== undefined;
  return pathOf(conversation).findLast(measured)?.figures ?? null;
}

export function MachinePanel(): JSX.Element {
  const { actions } = useApp();
  const { t, format } = useSpeech();
  const machine = useSelected((state) => state.machine);
  const figures = useSelected(lastFigures);
  const health = useSelected((state) => state.health);
  useEffect(() => {
    const look = (): void => {
      if (!document.hidden) void actions.lookAtMachine();
    };
    look();
    const timer = setInterval(look, kEveryMs);
    return () => clearInterval(timer);
  }, []);
  const known = (value: number | undefined, how: (value: number) => string): string =>
    value === undefined ? t('machine.unknown') : how(value);
  const rate = (value: number | undefined): string =>
    known(value, (v) => t('machine.per_second', { rate: format.rate(v) }));
  const sent = machine?.sentOutBytes;
  return (
    <aside class="machine" id="machine" aria-label={t('machine.title')}>
      <header class="machine-head">
        <h2>{t('machine.title')}</h2>
        <button
          type="button"
          class="quiet icon-button"
          aria-label={t('common.close')}
          title={t('common.close')}
          onClick={() => actions.settings({ machineOpen: false })}
        >
          <CloseIcon />
        </button>
      </header>
      <div class="sent">
        <span>{t('machine.sent')}</span>
        <strong data-zero={sent === 0}>{known(sent, format.bytes)}</strong>
        <p>{t('machine.sent_note')}</p>
      </div>
      <Section title={t('machine.last')}>
        {figures ? (
          <dl>
            <Row name={t('machine.speed')}>{rate(figures.tokensPerSecond)}</Row>
            <Row name={t('machine.reading')}>{rate(figures.promptPerSecond)}</Row>
            <Row name={t('machine.first')}>{known(figures.firstTokenMs, format.milliseconds)}</Row>
            <Row name={t('machine.tokens')}>{known(figures.completionTokens, format.number)}</Row>
            <CacheRow cached={figures.cachedTokens} total={figures.promptTokens} />
            {figures.energyJoules !== undefined && (
              <Row name={t('machine.energy')}>{format.energy(figures.energyJoules)}</Row>
            )}
          </dl>
        ) : (
          <p class="list-note">{t('machine.no_answer')}</p>
        )}
      </Section>
      <Section title={t('machine.now')}>
        {health === 'down' || !machine ? (
          <p class="list-note">{t('machine.off')}</p>
        ) : (
          <dl>
            <LiveRow />
            <Row name={t('machine.memory')}>{known(machine.memoryBytes, format.bytes)}</Row>
            {machine.modelBytes !== undefined && (
              <Row name={t('machine.models')}>{format.bytes(machine.modelBytes)}</Row>
            )}
            {machine.cacheBytes !== undefined && <Row name={t('machine.kv')}>{format.bytes(machine.cacheBytes)}</Row>}
            <Row name={t('machine.running')}>{known(machine.running, format.number)}</Row>
            <Row name={t('machine.waiting')}>{known(machine.waiting, format.number)}</Row>
          </dl>
        )}
      </Section>
      {machine && (
        <Section title={t('machine.since')}>
          <dl>
            <Row name={t('machine.tokens')}>{known(machine.completionTokens, format.number)}</Row>
            <Row name={t('machine.prompt')}>{known(machine.promptTokens, format.number)}</Row>
            <CacheRow cached={machine.cachedTokens} total={machine.promptTokens} />
            <Row name={t('machine.energy')}>{known(machine.energyJoules, format.energy)}</Row>
          </dl>
        </Section>
      )}
    </aside>
  );
}

function Section({ title, children }: { title: string; children: ComponentChildren }): JSX.Element {
  return (
    <section>
      <h3>{title}</h3>
      {children}
    </section>
  );
}

function Row({ name, children }: { name: string; children: ComponentChildren }): JSX.Element {
  return (
    <div class="figure">
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

// How much of the prompt had not to be read again, as a bar and in words.
function CacheRow({ cached, total }: { cached: number | undefined; total: number | undefined }): JSX.Element {
  const { t, format } = useSpeech();
  if (cached === undefined || !total) return <Row name={t('machine.cache')}>{t('machine.unknown')}</Row>;
  const part = Math.min(1, cached / total);
  return (
    <div class="figure with-bar">
      <dt>{t('machine.cache')}</dt>
      <dd>
        <strong>{format.percent(part)}</strong>
        <svg class="bar" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">
          <rect class="bar-ground" width="100" height="4" />
          <rect class="bar-part" width={part * 100} height="4" />
        </svg>
        <small>{t('machine.cache_of', { cached: format.number(cached), total: format.number(total) })}</small>
      </dd>
    </div>
  );
}

// While an answer grows: pieces per second, which is tokens per second closely enough (the exact number comes at its end).
function LiveRow(): JSX.Element | null {
  const { t, format } = useSpeech();
  const running = useSelected((state) => (state.current === null ? undefined : state.running[state.current]));
  if (!running?.firstPiece || running.pieces < 3) return null;
  const seconds = (performance.now() - running.firstPiece) / 1000;
  if (seconds < 0.3) return null;
  return (
    <Row name={t('machine.speed')}>≈ {t('machine.per_second', { rate: format.rate(running.pieces / seconds) })}</Row>
  );
}
