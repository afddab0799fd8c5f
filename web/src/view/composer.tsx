// Where a message is written. Enter sends, except while an input method composes: browsers say so with isComposing, and
// Safari, which ends the composition before the key arrives, with key code 229. On a touch screen Enter makes a new
// line, because there is no Shift to hold, and the button sends.
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { JSX } from 'preact';
import { draftOf } from '../state/state';
import { kMaxAllBytes, kMaxFileBytes } from '../talk/attachments';
import { useApp, useSelected, useSpeech } from './app_context';
import { AttachIcon, CloseIcon, FileIcon, SendIcon, StopIcon, ThinkIcon } from './icons';

const touchOnly = (): boolean => matchMedia('(hover: none) and (pointer: coarse)').matches;

export function Composer(): JSX.Element {
  const { actions, talking } = useApp();
  const speech = useSpeech();
  const { t, format } = speech;
  const draft = useSelected(draftOf);
  const current = useSelected((state) => state.current);
  const isRunning = useSelected((state) => state.current !== null && state.current in state.running);
  const area = useRef<HTMLTextAreaElement>(null);
  const files = useRef<HTMLInputElement>(null);
  const dragged = useDrop((dropped) => void actions.attach(dropped, speech));
  const limits = { file: format.bytes(kMaxFileBytes), all: format.bytes(kMaxAllBytes) };
  const isEmpty = draft.text.trim() === '' && draft.attachments.length === 0;

  // As high as its text, up to the limit that the style sheet sets.
  useLayoutEffect(() => {
    if (!area.current) return;
    area.current.style.height = 'auto';
    area.current.style.height = `${area.current.scrollHeight}px`;
  }, [draft.text, current]);
  useLayoutEffect(() => {
    if (!touchOnly()) area.current?.focus();
  }, [current]);

  const send = (): void => {
    if (isRunning || isEmpty) return;
    void talking.send(draft.text, draft.attachments);
    area.current?.focus();
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing || event.keyCode === 229) return;
    if (touchOnly() && !event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    send();
  };

  return (
    <form
      class="composer"
      data-dragged={dragged}
      aria-label={t('compose.label')}
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      {draft.attachments.length > 0 && (
        <ul class="files" aria-label={t('compose.attached')}>
          {draft.attachments.map((file, index) => (
            <li key={index} class="file">
              <FileIcon />
              <span class="file-name">{file.name}</span>
              <button
                type="button"
                class="quiet icon-button small"
                aria-label={t('compose.remove', { name: file.name })}
                title={t('compose.remove', { name: file.name })}
                onClick={() => actions.draft({ attachments: draft.attachments.filter((_, i) => i !== index) })}
              >
                <CloseIcon />
              </button>
            </li>
          ))}
        </ul>
      )}
      <textarea
        id="message"
        ref={area}
        rows={1}
        value={draft.text}
        placeholder={t('compose.placeholder')}
        aria-label={t('compose.label')}
        aria-describedby="compose-hint"
        dir="auto"
        enterkeyhint={touchOnly() ? 'enter' : 'send'}
        onInput={(event) => actions.draft({ text: event.currentTarget.value })}
        onKeyDown={onKeyDown}
        onPaste={(event) => {
          const pasted = [...(event.clipboardData?.files ?? [])];
          if (pasted.length === 0) return;
          event.preventDefault();
          void actions.attach(pasted, speech);
        }}
      />
      <div class="composer-foot">
        <button
          type="button"
          class="quiet icon-button"
          aria-label={t('compose.attach')}
          title={`${t('compose.attach')} — ${t('compose.limit', limits)}`}
          onClick={() => files.current?.click()}
        >
          <AttachIcon />
        </button>
        <input
          ref={files}
          type="file"
          multiple
          hidden
          aria-label={t('compose.attach')}
          onChange={(event) => {
            void actions.attach([...(event.currentTarget.files ?? [])], speech);
            event.currentTarget.value = '';
          }}
        />
        <ThinkingSwitch />
        <span class="composer-hint" id="compose-hint">
          {t(dragged ? 'compose.drop' : 'compose.hint')}
        </span>
        {isRunning ? (
          <button
            type="button"
            class="send"
            aria-label={t('compose.stop')}
            title={t('compose.stop')}
            onClick={() => {
              if (current !== null) talking.stop(current);
              area.current?.focus();
            }}
          >
            <StopIcon />
          </button>
        ) : (
          <button
            type="submit"
            class="send"
            aria-label={t('compose.send')}
            title={t('compose.send')}
            disabled={isEmpty}
          >
            <SendIcon />
          </button>
        )}
      </div>
    </form>
  );
}

function ThinkingSwitch(): JSX.Element {
  const { actions } = useApp();
  const { t } = useSpeech();
  const thinking = useSelected((state) => state.settings.thinking);
  return (
    <button
      type="button"
      class="quiet toggle"
      aria-pressed={thinking}
      title={t('compose.thinking_hint')}
      onClick={() => actions.settings({ thinking: !thinking })}
    >
      <ThinkIcon />
      {t('compose.thinking')}
    </button>
  );
}

// Files may be dropped anywhere on the page. Returns whether some are held over it.
function useDrop(onFiles: (files: File[]) => void): boolean {
  const [dragged, setDragged] = useState(false);
  const latest = useRef(onFiles);
  latest.current = onFiles;
  useEffect(() => {
    const holdsFiles = (event: DragEvent): boolean => event.dataTransfer?.types.includes('Files') ?? false;
    const over = (event: DragEvent): void => {
      if (!holdsFiles(event)) return;
      event.preventDefault();
      setDragged(true);
    };
    const leave = (event: DragEvent): void => {
      if (event.relatedTarget === null) setDragged(false);
    };
    const drop = (event: DragEvent): void => {
      if (!holdsFiles(event)) return;
      event.preventDefault(); // otherwise the browser would open the file in place of the page
      setDragged(false);
      latest.current([...(event.dataTransfer?.files ?? [])]);
    };
    window.addEventListener('dragover', over);
    window.addEventListener('dragleave', leave);
    window.addEventListener('drop', drop);
    return () => {
      window.removeEventListener('dragover', over);
      window.removeEventListener('dragleave', leave);
      window.removeEventListener('drop', drop);
    };
  }, []);
  return dragged;
}
