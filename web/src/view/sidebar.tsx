// The list of conversations, and the search over all of them.
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { JSX } from 'preact';
import { listed } from '../state/state';
import { search } from '../talk/search';
import type { Conversation } from '../talk/turns';
import type { WordKey } from '../words/words';
import { useApp, useSelected, useSpeech } from './app_context';
import { CloseIcon, DeleteIcon, EditIcon, Mark, PlusIcon, SearchIcon, SettingsIcon } from './icons';

export function Sidebar(): JSX.Element {
  const { store, actions } = useApp();
  const { t } = useSpeech();
  const query = useSelected((state) => state.query);
  const open = useSelected((state) => state.sidebarOpen);
  const place = useRef<HTMLElement>(null);
  const wasOpen = useRef(false);

  // The focus goes along: into the list when it opens over the talk, back to its button when it closes. In a layout
  // effect, here as wherever the focus follows an act: an ordinary one runs a frame later, and what a person has typed
  // until then would go to a place that is not there any more.
  useLayoutEffect(() => {
    if (open && !place.current?.contains(document.activeElement))
      place.current?.querySelector<HTMLElement>('.new-talk')?.focus();
    else if (
      wasOpen.current &&
      (document.activeElement === document.body || place.current?.contains(document.activeElement))
    )
      document.getElementById('open-sidebar')?.focus();
    wasOpen.current = open;
  }, [open]);

  return (
    <nav ref={place} class="sidebar" id="sidebar" data-open={open} aria-label={t('nav.conversations')}>
      <div class="brand">
        <Mark />
        <span class="brand-name">Inkstone</span>
        <button
          type="button"
          class="quiet icon-button only-narrow"
          aria-label={t('nav.close')}
          title={t('nav.close')}
          onClick={() => store.set({ sidebarOpen: false })}
        >
          <CloseIcon />
        </button>
      </div>
      <button
        type="button"
        class="new-talk"
        onClick={() => {
          actions.open(null);
          document.getElementById('message')?.focus();
        }}
      >
        <PlusIcon />
        {t('nav.new')}
      </button>
      <div class="search" role="search">
        <SearchIcon />
        <input
          id="search"
          type="search"
          value={query}
          placeholder={t('settings.shortcut_search')}
          aria-label={t('nav.search')}
          autocomplete="off"
          onInput={(event) => store.set({ query: event.currentTarget.value })}
          onKeyDown={(event) => {
            if (event.key === 'Escape' && query !== '') {
              event.stopPropagation();
              store.set({ query: '' });
            }
          }}
        />
      </div>
      <div class="sidebar-list">{query.trim() === '' ? <Conversations /> : <Results query={query} />}</div>
      <div class="sidebar-foot">
        <button type="button" class="quiet" onClick={() => store.set({ dialog: { kind: 'settings' } })}>
          <SettingsIcon />
          {t('head.settings')}
        </button>
      </div>
    </nav>
  );
}

function Results({ query }: { query: string }): JSX.Element {
  const { store, actions } = useApp();
  const { t } = useSpeech();
  const conversations = useSelected((state) => state.conversations);
  const [settled, setSettled] = useState(query);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(query), 120);
    return () => clearTimeout(timer);
  }, [query]);
  const found = useMemo(() => search(listed(conversations), settled), [conversations, settled]);
  return (
    <>
      <p class="list-note" role="status">
        {found.length === 0 ? t('nav.none') : t('nav.found', { count: found.length })}
      </p>
      <ul class="results">
        {found.map((one, index) => (
          <li key={index}>
            <button
              type="button"
              class="result"
              onClick={() => {
                actions.openTurn(one.conversation, one.turn);
                const { turn } = one;
                if (turn !== null)
                  requestAnimationFrame(() =>
                    document.getElementById(`turn-${turn}`)?.scrollIntoView({ block: 'center' }),
                  );
                store.set({ sidebarOpen: false });
              }}
            >
              <span class="result-title">{one.title || t('nav.untitled')}</span>
              <span class="result-text">
                {one.before}
                <mark>{one.match}</mark>
                {one.after}
              </span>
            </button>
          </li>
        ))}
      </ul>
    </>
  );
}

const kDayMs = 86_400_000;

function groupOf(updated: number, now: number): WordKey {
  const midnight = new Date(now).setHours(0, 0, 0, 0);
  if (updated >= midnight) return 'nav.today';
  if (updated >= midnight - kDayMs) return 'nav.yesterday';
  return updated >= midnight - 6 * kDayMs ? 'nav.week' : 'nav.earlier';
}

// What the list shows of a conversation, as a text: while an answer grows nothing of it changes, and the list is not
// drawn again.
const shownOf = (conversations: Record<string, Conversation>): string =>
  JSON.stringify(listed(conversations).map(({ id, title, updated }) => ({ id, title, updated })));

function Conversations(): JSX.Element {
  const { t } = useSpeech();
  const shown = useSelected((state) => shownOf(state.conversations));
  const list = useMemo(() => JSON.parse(shown) as Entry[], [shown]);
  const groups = new Map<WordKey, Entry[]>();
  for (const entry of list) {
    const key = groupOf(entry.updated, Date.now());
    groups.set(key, [...(groups.get(key) ?? []), entry]);
  }
  if (list.length === 0) return <p class="list-note">{t('nav.empty')}</p>;
  return (
    <>
      {[...groups].map(([key, entries]) => (
        <section key={key}>
          <h2 class="list-group">{t(key)}</h2>
          <ul>
            {entries.map((entry) => (
              <ConversationRow key={entry.id} entry={entry} />
            ))}
          </ul>
        </section>
      ))}
    </>
  );
}

interface Entry {
  id: string;
  title: string;
  updated: number;
}

function ConversationRow({ entry }: { entry: Entry }): JSX.Element {
  const { store, actions } = useApp();
  const { t } = useSpeech();
  const isCurrent = useSelected((state) => state.current === entry.id);
  const isRunning = useSelected((state) => entry.id in state.running);
  const [renaming, setRenaming] = useState(false);
  const title = entry.title || t('nav.untitled');
  const name = useRef<HTMLInputElement>(null);
  useLayoutEffect(() => name.current?.select(), [renaming]);

  if (renaming) {
    const close = (keep: boolean): void => {
      if (keep) actions.rename(entry.id, name.current?.value ?? '');
      setRenaming(false);
    };
    return (
      <li>
        <input
          ref={name}
          class="rename"
          defaultValue={entry.title}
          aria-label={t('talk.rename_label')}
          maxLength={200}
          onBlur={() => close(true)}
          onKeyDown={(event) => {
            if (event.isComposing || event.keyCode === 229) return;
            if (event.key === 'Enter') close(true);
            if (event.key === 'Escape') {
              event.stopPropagation();
              close(false);
            }
          }}
        />
      </li>
    );
  }
  return (
    <li class="row" data-current={isCurrent}>
      <button
        type="button"
        class="row-title"
        aria-current={isCurrent ? 'page' : undefined}
        title={title}
        onClick={() => actions.open(entry.id)}
      >
        {isRunning && <span class="row-running" role="img" aria-label={t('nav.writing')} />}
        <span class="row-text">{title}</span>
      </button>
      <span class="row-tools">
        <button
          type="button"
          class="quiet icon-button small"
          aria-label={`${t('talk.rename')}: ${title}`}
          title={t('talk.rename')}
          onClick={() => setRenaming(true)}
        >
          <EditIcon />
        </button>
        <button
          type="button"
          class="quiet icon-button small"
          aria-label={`${t('talk.delete')}: ${title}`}
          title={t('talk.delete')}
          onClick={() => store.set({ dialog: { kind: 'delete', id: entry.id } })}
        >
          <DeleteIcon />
        </button>
      </span>
    </li>
  );
}
