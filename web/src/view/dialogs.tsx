// The dialogs that can be open, one at a time.
import { useState } from 'preact/hooks';
import type { JSX } from 'preact';
import { useApp, useSelected, useSpeech } from './app_context';
import { DialogFrame } from './dialog_frame';
import { SettingsDialog } from './settings_dialog';

export function Dialogs(): JSX.Element | null {
  const { store, actions } = useApp();
  const { t } = useSpeech();
  const dialog = useSelected((state) => state.dialog);
  const conversations = useSelected((state) => state.conversations);
  const close = (): void => {
    if (store.state.dialog === dialog) store.set({ dialog: null });
  };
  if (dialog === null) return null;
  if (dialog.kind === 'settings') return <SettingsDialog key="settings" onClose={close} />;
  if (dialog.kind === 'key') return <KeyDialog key="key" wrong={dialog.wrong} onClose={close} />;
  if (dialog.kind === 'delete_all')
    return <Confirm key="all" title={t('settings.delete_all_ask')} onClose={close} onYes={() => actions.removeAll()} />;
  const title = conversations[dialog.id]?.title || t('nav.untitled');
  return (
    <Confirm
      key={dialog.id}
      title={t('talk.delete_ask', { title })}
      onClose={close}
      onYes={() => {
        actions.remove(dialog.id);
        document.getElementById('message')?.focus();
      }}
    />
  );
}

function Confirm({ title, onClose, onYes }: { title: string; onClose(): void; onYes(): void }): JSX.Element {
  const { t } = useSpeech();
  return (
    <DialogFrame title={title} closeLabel={t('common.close')} onClose={onClose}>
      <p>{t('talk.delete_note')}</p>
      <div class="dialog-foot">
        <button type="button" autofocus onClick={onClose}>
          {t('common.cancel')}
        </button>
        <button type="button" class="danger" onClick={onYes}>
          {t('common.delete')}
        </button>
      </div>
    </DialogFrame>
  );
}

function KeyDialog({ wrong, onClose }: { wrong: boolean; onClose(): void }): JSX.Element {
  const { actions } = useApp();
  const { t } = useSpeech();
  const [key, setKey] = useState('');
  return (
    <DialogFrame title={t('key.title')} closeLabel={t('common.close')} onClose={onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void actions.enterKey(key);
        }}
      >
        <p id="key-ask">{t(wrong ? 'key.wrong' : 'key.ask')}</p>
        <div class="field tall">
          <label for="key">{t('key.label')}</label>
          <input
            id="key"
            type="password"
            autocomplete="off"
            autofocus
            value={key}
            aria-describedby="key-ask"
            aria-invalid={wrong}
            onInput={(event) => setKey(event.currentTarget.value)}
          />
        </div>
        <div class="dialog-foot">
          <button type="submit" class="primary" disabled={key.trim() === ''}>
            {t('key.enter')}
          </button>
        </div>
      </form>
    </DialogFrame>
  );
}
