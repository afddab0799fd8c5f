// One turn: a question with its files, or an answer with its thinking, its calls and its numbers; below it what can be
// done with it. Drawn again only when the turn itself or its place among its siblings changed.
import { memo } from 'preact/compat';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { ComponentChildren, JSX } from 'preact';
import type { Siblings, Turn } from '../talk/turns';
import { useApp, useSpeech } from './app_context';
import { CallCard } from './call_card';
import { copyText } from './copy';
import { FaultView } from './fault_view';
import {
  AgainIcon,
  ArrowIcon,
  CopyIcon,
  DoneIcon,
  EditIcon,
  FileIcon,
  GoOnIcon,
  NextIcon,
  PreviousIcon,
} from './icons';
import { MarkdownView } from './markdown_view';
import { ProgressLine } from './progress_line';

interface Properties {
  conversation: string;
  turn: Turn;
  siblingIds: string; // joined by commas, so that it can be compared
  results: string; // JSON: of the turn's calls, by id
  isBusy: boolean; // the conversation is being answered
  isLast: boolean;
}

export const TurnView = memo(function TurnView(properties: Properties): JSX.Element {
  const { t } = useSpeech();
  const { turn } = properties;
  const who = turn.role === 'user' ? t('turn.you') : t('turn.assistant');
  return (
    <li>
      <article class={`turn ${turn.role}`} id={`turn-${turn.id}`} aria-label={who} aria-busy={turn.state === 'growing'}>
        {turn.role === 'user' ? <Question {...properties} /> : <Answer {...properties} />}
      </article>
    </li>
  );
});

function Question({ conversation, turn, siblingIds, isBusy }: Properties): JSX.Element {
  const { talking } = useApp();
  const { t } = useSpeech();
  const [editing, setEditing] = useState(false);
  if (editing) {
    return (
      <QuestionEditor
        text={turn.text}
        onClose={() => setEditing(false)}
        onSend={(text) => {
          setEditing(false);
          void talking.edit(conversation, turn.id, text);
        }}
      />
    );
  }
  return (
    <>
      <div class="question">
        {turn.attachments && (
          <ul class="files" aria-label={t('compose.attached')}>
            {turn.attachments.map((file, index) => (
              <li key={index} class="file">
                <FileIcon />
                <span class="file-name">{file.name}</span>
              </li>
            ))}
          </ul>
        )}
        <p class="question-text" dir="auto">
          {turn.text}
        </p>
      </div>
      <div class="turn-tools">
        <Versions conversation={conversation} turn={turn} siblings={siblingIds.split(',')} />
        <CopyButton text={turn.text} />
        <button
          type="button"
          class="quiet icon-button small"
          aria-label={t('turn.edit')}
          title={t('turn.edit')}
          disabled={isBusy}
          onClick={() => setEditing(true)}
        >
          <EditIcon />
        </button>
      </div>
    </>
  );
}

function QuestionEditor({
  text,
  onSend,
  onClose,
}: {
  text: string;
  onSend(text: string): void;
  onClose(): void;
}): JSX.Element {
  const { t } = useSpeech();
  const area = useRef<HTMLTextAreaElement>(null);
  useLayoutEffect(() => {
    area.current?.focus();
    area.current?.setSelectionRange(text.length, text.length);
  }, []);
  const send = (): void => onSend(area.current?.value ?? '');
  return (
    <form
      class="question-editor"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <textarea
        ref={area}
        defaultValue={text}
        rows={Math.min(12, text.split('\n').length + 1)}
        aria-label={t('turn.edit_label')}
        dir="auto"
        onKeyDown={(event) => {
          if (event.isComposing || event.keyCode === 229) return;
          if (event.key === 'Escape') {
            event.stopPropagation();
            onClose();
          } else if (event.key === 'Enter' && !event.shiftKey) {
            event.preventDefault();
            send();
          }
        }}
      />
      <div class="editor-tools">
        <button type="button" onClick={onClose}>
          {t('common.cancel')}
        </button>
        <button type="submit" class="primary">
          {t('turn.edit_send')}
        </button>
      </div>
    </form>
  );
}

function Answer({ conversation, turn, siblingIds, results, isBusy, isLast }: Properties): JSX.Element {
  const { talking } = useApp();
  const { t } = useSpeech();
  const answered = JSON.parse(results) as Record<string, string>;
  const isGrowing = turn.state === 'growing';
  const isCut = turn.state === 'stopped' || turn.state === 'interrupted' || turn.state === 'cut';
  return (
    <>
      {turn.thinking && <Thinking turn={turn} />}
      {turn.text !== '' && <MarkdownView text={turn.text} />}
      {(turn.calls ?? []).map((call) => (
        <CallCard
          key={call.id}
          call={call}
          result={answered[call.id]}
          isGrowing={isGrowing}
          canAnswer={!isBusy && !isGrowing && isLast && answered[call.id] === undefined}
          onAnswer={(text) => void talking.answerCall(conversation, call.id, text)}
        />
      ))}
      {isGrowing && <ProgressLine conversation={conversation} quiet={turn.text !== ''} />}
      {isCut && (
        <p class="turn-state">
          {t(turn.state === 'stopped' ? 'turn.stopped' : turn.state === 'cut' ? 'turn.cut' : 'turn.interrupted')}
        </p>
      )}
      {turn.state === 'failed' && turn.fault && (
        <FaultView fault={turn.fault} disabled={isBusy} onRetry={() => void talking.again(conversation, turn.id)} />
      )}
      {!isGrowing && (
        <div class="turn-tools">
          <Versions conversation={conversation} turn={turn} siblings={siblingIds.split(',')} />
          {turn.text !== '' && <CopyButton text={turn.text} />}
          <button
            type="button"
            class="quiet icon-button small"
            aria-label={t('turn.again')}
            title={t('turn.again')}
            disabled={isBusy}
            onClick={() => void talking.again(conversation, turn.id)}
          >
            <AgainIcon />
          </button>
          {(isCut || turn.fault?.kind === 'broken') && turn.text !== '' && isLast && (
            <button
              type="button"
              class="quiet small"
              disabled={isBusy}
              onClick={() => void talking.goOn(conversation, turn.id)}
            >
              <GoOnIcon />
              {t('turn.continue')}
            </button>
          )}
          <FiguresLine turn={turn} />
        </div>
      )}
    </>
  );
}

function Thinking({ turn }: { turn: Turn }): JSX.Element {
  const { t, format } = useSpeech();
  const isRunning = turn.state === 'growing' && turn.text === '' && !turn.calls?.length;
  const time = turn.thinkingMs ? format.milliseconds(turn.thinkingMs) : null;
  return (
    <details class="thinking" data-running={isRunning}>
      <summary>
        <ArrowIcon />
        {isRunning ? t('think.running') : time ? t('think.done', { time }) : t('think.plain')}
      </summary>
      <div class="thinking-text" dir="auto" tabIndex={0}>
        {turn.thinking?.trim()}
      </div>
    </details>
  );
}

function Versions({
  conversation,
  turn,
  siblings,
}: {
  conversation: string;
  turn: Turn;
  siblings: string[];
}): JSX.Element | null {
  const { actions } = useApp();
  const { t } = useSpeech();
  const index = siblings.indexOf(turn.id);
  if (siblings.length < 2) return null;
  // The turn that is shown then is another one: the focus goes to the same button there.
  const go = (to: number, which: 'previous' | 'next'): void => {
    const id = siblings[to]!;
    actions.showTurn(conversation, id);
    requestAnimationFrame(() => {
      const there = document.getElementById(`turn-${id}`);
      const button =
        there?.querySelector<HTMLButtonElement>(`[data-version=${which}]:enabled`) ??
        there?.querySelector<HTMLButtonElement>('[data-version]:enabled');
      button?.focus();
    });
  };
  return (
    <span class="versions" role="group" aria-label={t('turn.version', { index: index + 1, count: siblings.length })}>
      <button
        type="button"
        class="quiet icon-button small"
        data-version="previous"
        aria-label={t('turn.previous')}
        title={t('turn.previous')}
        disabled={index === 0}
        onClick={() => go(index - 1, 'previous')}
      >
        <PreviousIcon />
      </button>
      <span class="version-count" aria-hidden="true">
        {index + 1}/{siblings.length}
      </span>
      <button
        type="button"
        class="quiet icon-button small"
        data-version="next"
        aria-label={t('turn.next')}
        title={t('turn.next')}
        disabled={index === siblings.length - 1}
        onClick={() => go(index + 1, 'next')}
      >
        <NextIcon />
      </button>
    </span>
  );
}

function CopyButton({ text }: { text: string }): JSX.Element {
  const { t } = useSpeech();
  const [copied, setCopied] = useState(false);
  return (
    <button
      type="button"
      class="quiet icon-button small"
      aria-label={t(copied ? 'turn.copied' : 'turn.copy')}
      title={t('turn.copy')}
      onClick={() => {
        void copyText(text).then(() => {
          setCopied(true);
          setTimeout(() => setCopied(false), 2000);
        });
      }}
    >
      {copied ? <DoneIcon /> : <CopyIcon />}
    </button>
  );
}

function FiguresLine({ turn }: { turn: Turn }): JSX.Element | null {
  const { t, format } = useSpeech();
  const { completionTokens, tokensPerSecond, cachedTokens, promptTokens } = turn.figures ?? {};
  const parts: ComponentChildren[] = [];
  if (turn.model) parts.push(turn.model);
  if (completionTokens !== undefined) parts.push(t('figures.tokens', { count: completionTokens }));
  if (tokensPerSecond) parts.push(t('machine.per_second', { rate: format.rate(tokensPerSecond) }));
  if (cachedTokens && promptTokens)
    parts.push(t('figures.cached', { percent: format.percent(cachedTokens / promptTokens) }));
  return parts.length === 0 ? null : <span class="figures">{parts.join(' · ')}</span>;
}

export const siblingText = (siblings: Siblings): string => siblings.ids.join(',');
