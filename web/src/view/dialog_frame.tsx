// A dialog of the browser's own: it holds the focus inside, Escape closes it, and the focus returns by itself.
import { useId, useLayoutEffect, useRef } from 'preact/hooks';
import type { ComponentChildren, JSX } from 'preact';
import { CloseIcon } from './icons';

interface Properties {
  title: string;
  closeLabel: string;
  wide?: boolean;
  onClose(): void;
  children: ComponentChildren;
}

export function DialogFrame({ title, closeLabel, wide, onClose, children }: Properties): JSX.Element {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  useLayoutEffect(() => {
    dialog.current?.showModal();
  }, []);
  return (
    <dialog
      ref={dialog}
      class={wide ? 'wide' : undefined}
      aria-labelledby={id}
      onClose={onClose}
      onClick={(event) => {
        if (event.target === dialog.current) dialog.current?.close(); // beside the paper
      }}
    >
      <div class="dialog-paper">
        <header class="dialog-head">
          <h2 id={id}>{title}</h2>
          <button
            type="button"
            class="quiet icon-button"
            aria-label={closeLabel}
            title={closeLabel}
            onClick={() => dialog.current?.close()}
          >
            <CloseIcon />
          </button>
        </header>
        {children}
      </div>
    </dialog>
  );
}
