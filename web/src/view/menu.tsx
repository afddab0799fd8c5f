// A button that opens a small list of things to do. Arrow keys move in it, Escape and a click elsewhere close it, and
// the focus returns to the button.
import { useId, useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { ComponentChildren, JSX } from 'preact';

export interface MenuItem {
  label: string;
  danger?: boolean;
  action(): void;
}

export function Menu({
  label,
  icon,
  items,
}: {
  label: string;
  icon: ComponentChildren;
  items: MenuItem[];
}): JSX.Element {
  const [open, setOpen] = useState(false);
  const frame = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const id = useId();

  useLayoutEffect(() => {
    if (!open) return;
    frame.current?.querySelector<HTMLElement>('[role=menuitem]')?.focus();
    const elsewhere = (event: Event): void => {
      if (!frame.current?.contains(event.target as Node)) setOpen(false);
    };
    document.addEventListener('pointerdown', elsewhere);
    return () => document.removeEventListener('pointerdown', elsewhere);
  }, [open]);

  const onKeyDown = (event: KeyboardEvent): void => {
    if (!open) return;
    const entries = [...(frame.current?.querySelectorAll<HTMLElement>('[role=menuitem]') ?? [])];
    const at = entries.indexOf(document.activeElement as HTMLElement);
    const to: Record<string, number> = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: entries.length - 1 };
    if (event.key === 'Escape' || event.key === 'Tab') {
      setOpen(false);
      if (event.key === 'Escape') {
        event.stopPropagation();
        button.current?.focus();
      }
    } else if (to[event.key] !== undefined) {
      event.preventDefault();
      entries.at(to[event.key]! % entries.length)?.focus();
    }
  };

  return (
    <div class="menu" ref={frame} onKeyDown={onKeyDown}>
      <button
        type="button"
        class="quiet icon-button"
        ref={button}
        aria-label={label}
        title={label}
        aria-haspopup="menu"
        aria-expanded={open}
        aria-controls={id}
        onClick={() => setOpen(!open)}
      >
        {icon}
      </button>
      <div class="menu-list" id={id} role="menu" aria-label={label} hidden={!open}>
        {items.map((item) => (
          <button
            key={item.label}
            type="button"
            role="menuitem"
            tabIndex={-1}
            class={item.danger ? 'danger' : undefined}
            onClick={() => {
              setOpen(false);
              button.current?.focus();
              item.action();
            }}
          >
            {item.label}
          </button>
        ))}
      </div>
    </div>
  );
}
