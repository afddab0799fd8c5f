// The page: conversations on the left, the talk in the middle, the machine on the right.
import { flushSync } from 'preact/compat';
import { useEffect } from 'preact/hooks';
import type { JSX } from 'preact';
import { currentConversation, modelOf } from '../state/state';
import { kLanguages } from '../words/words';
import { useApp, useSelected, useSpeech } from './app_context';
import { Composer } from './composer';
import { Dialogs } from './dialogs';
import { CloseIcon, MachineIcon, MenuIcon, MoreIcon } from './icons';
import { MachinePanel } from './machine_panel';
import { Menu } from './menu';
import { isNarrow, useNarrow } from './narrow';
import { Sidebar } from './sidebar';
import { Thread } from './thread';

export function Page(): JSX.Element {
  const { t } = useSpeech();
  const machineOpen = useSelected((state) => state.settings.machineOpen);
  const { store } = useApp();
  const narrow = useNarrow();
  const isCovered = useSelected((state) => state.sidebarOpen) && narrow;
  useDocument();
  useShortcuts();
  return (
    <>
      <a
        class="skip"
        href="#message"
        onClick={(event) => {
          event.preventDefault();
          document.getElementById('message')?.focus();
        }}
      >
        {t('app.skip')}
      </a>
      <div class="page" data-machine={machineOpen}>
        <Sidebar />
        {isCovered && <div class="veil" onClick={() => store.set({ sidebarOpen: false })} />}
        <main class="talk" inert={isCovered}>
          <Head />
          <Thread />
          <div class="talk-foot">
            <NoticeLine />
            <Composer />
          </div>
        </main>
        {machineOpen && <MachinePanel />}
      </div>
      <Dialogs />
    </>
  );
}

function Head(): JSX.Element {
  const { store, actions } = useApp();
  const speech = useSpeech();
  const { t } = speech;
  const id = useSelected((state) => currentConversation(state)?.id ?? null);
  const title = useSelected((state) => currentConversation(state)?.title ?? '');
  const machineOpen = useSelected((state) => state.settings.machineOpen);
  const sidebarOpen = useSelected((state) => state.sidebarOpen);
  return (
    <header class="head">
      <button
        type="button"
        id="open-sidebar"
        class="quiet icon-button only-narrow"
        aria-label={t('nav.open')}
        title={t('nav.open')}
        aria-expanded={sidebarOpen}
        aria-controls="sidebar"
        onClick={() => store.set({ sidebarOpen: true })}
      >
        <MenuIcon />
      </button>
      <h1 class="head-title" dir="auto">
        {title || t('nav.untitled')}
      </h1>
      <ModelPicker />
      <button
        type="button"
        class="quiet icon-button"
        aria-label={t('head.machine')}
        title={t('head.machine')}
        aria-pressed={machineOpen}
        onClick={() => actions.settings({ machineOpen: !machineOpen })}
      >
        <MachineIcon />
      </button>
      {id !== null && (
        <Menu
          label={t('talk.more')}
          icon={<MoreIcon />}
          items={[
            { label: t('talk.export_markdown'), action: () => actions.exportOne(id, 'markdown', speech) },
            { label: t('talk.export_json'), action: () => actions.exportOne(id, 'json', speech) },
            { label: t('talk.delete'), danger: true, action: () => store.set({ dialog: { kind: 'delete', id } }) },
          ]}
        />
      )}
    </header>
  );
}

function ModelPicker(): JSX.Element {
  const { actions } = useApp();
  const { t } = useSpeech();
  const models = useSelected((state) => state.models);
  const model = useSelected(modelOf);
  const options = model !== '' && !models.includes(model) ? [model, ...models] : models;
  return (
    <select
      class="model-picker"
      aria-label={t('head.model')}
      title={t('head.model')}
      disabled={options.length === 0}
      value={model}
      onChange={(event) => actions.settings({ model: event.currentTarget.value })}
    >
      {options.length === 0 && <option value="">{t('head.no_model')}</option>}
      {options.map((name) => (
        <option key={name} value={name} selected={name === model}>
          {name}
        </option>
      ))}
    </select>
  );
}

function NoticeLine(): JSX.Element {
  const { store } = useApp();
  const { t } = useSpeech();
  const notice = useSelected((state) => state.notice);
  const kept = useSelected((state) => state.kept);
  const health = useSelected((state) => state.health);
  const text =
    notice?.text ??
    (!kept
      ? t('notice.not_kept')
      : health === 'down'
        ? `${t('fault.unreachable')} ${t('fault.unreachable.todo')}`
        : '');
  return (
    <div role="status" class="notice-place">
      {text !== '' && (
        <div class="notice" data-kind={notice?.kind ?? 'fault'}>
          <span>{text}</span>
          {notice && (
            <button
              type="button"
              class="quiet icon-button small"
              aria-label={t('common.dismiss')}
              title={t('common.dismiss')}
              onClick={() => store.set({ notice: null })}
            >
              <CloseIcon />
            </button>
          )}
        </div>
      )}
    </div>
  );
}

// What belongs to the document itself: its language, its title, its colours.
function useDocument(): void {
  const { language, t } = useSpeech();
  const theme = useSelected((state) => state.settings.theme);
  const title = useSelected((state) => currentConversation(state)?.title ?? '');
  useEffect(() => {
    document.documentElement.lang = kLanguages[language].tag;
    document.title = title ? `${title} — Inkstone` : `Inkstone — ${t('app.tagline')}`;
  }, [language, title]);
  useEffect(() => {
    if (theme === 'auto') delete document.documentElement.dataset['theme'];
    else document.documentElement.dataset['theme'] = theme;
  }, [theme]);
}

function useShortcuts(): void {
  const { store, actions, talking } = useApp();
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent): void => {
      if (event.isComposing || event.keyCode === 229 || store.state.dialog) return;
      const { current } = store.state;
      if (event.key === 'Escape') {
        if (store.state.sidebarOpen) store.set({ sidebarOpen: false });
        else if (current !== null && current in store.state.running) talking.stop(current);
        else if (isNarrow() && store.state.settings.machineOpen) actions.settings({ machineOpen: false });
      }
      if (!(event.ctrlKey || event.metaKey)) return;
      if (event.key.toLowerCase() === 'k' && !event.shiftKey) {
        event.preventDefault();
        flushSync(() => store.set({ sidebarOpen: isNarrow() })); // drawn now: what is hidden cannot take the focus
        document.getElementById('search')?.focus();
      } else if (event.key.toLowerCase() === 'o' && event.shiftKey) {
        event.preventDefault();
        actions.open(null);
        document.getElementById('message')?.focus();
      }
    };
    document.addEventListener('keydown', onKeyDown);
    return () => document.removeEventListener('keydown', onKeyDown);
  }, []);
}
