// The settings. Every change holds at once; closing is all there is to do at the end.
import { useId, useRef, useState } from 'preact/hooks';
import type { ComponentChildren, JSX } from 'preact';
import { kOwnSampling, kSamplingRanges, readNumber, type Sampling } from '../state/settings';
import { parseDeclarations } from '../tools/page_tools';
import { kLanguages, type Language, type WordKey } from '../words/words';
import { useApp, useSelected, useSpeech } from './app_context';
import { DialogFrame } from './dialog_frame';

export function SettingsDialog({ onClose }: { onClose(): void }): JSX.Element {
  const { t } = useSpeech();
  return (
    <DialogFrame title={t('settings.title')} closeLabel={t('common.close')} wide onClose={onClose}>
      <div class="settings">
        <Look />
        <Answers />
        <SamplingFields />
        <Tools />
        <Data />
        <Shortcuts />
        <p class="hint">
          <a href="licences.txt" target="_blank" rel="noopener">
            {t('settings.licences')}
          </a>
        </p>
      </div>
    </DialogFrame>
  );
}

function Part({ title, children }: { title: string; children: ComponentChildren }): JSX.Element {
  return (
    <section class="settings-part">
      <h3>{title}</h3>
      {children}
    </section>
  );
}

function Choice<T extends string>({
  label,
  value,
  options,
  onChange,
}: {
  label: string;
  value: T;
  options: [T, string][];
  onChange(value: T): void;
}): JSX.Element {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <select id={id} value={value} onChange={(event) => onChange(event.currentTarget.value as T)}>
        {options.map(([option, name]) => (
          <option key={option} value={option} selected={option === value}>
            {name}
          </option>
        ))}
      </select>
    </div>
  );
}

function Look(): JSX.Element {
  const { actions } = useApp();
  const { t } = useSpeech();
  const settings = useSelected((state) => state.settings);
  const languages = (Object.keys(kLanguages) as Language[]).map((key): [Language, string] => [
    key,
    kLanguages[key].name,
  ]);
  const label = t('settings.language') === 'Language' ? 'Language · 语言' : `${t('settings.language')} · Language`;
  return (
    <Part title={t('settings.look')}>
      <Choice
        label={label}
        value={settings.language}
        options={[['auto', t('settings.auto')], ...languages]}
        onChange={(language) => actions.settings({ language })}
      />
      <Choice
        label={t('settings.theme')}
        value={settings.theme}
        onChange={(theme) => actions.settings({ theme })}
        options={[
          ['auto', t('settings.theme_auto')],
          ['light', t('settings.theme_light')],
          ['dark', t('settings.theme_dark')],
        ]}
      />
    </Part>
  );
}

function Answers(): JSX.Element {
  const { actions } = useApp();
  const { t } = useSpeech();
  const system = useSelected((state) => state.settings.system);
  return (
    <Part title={t('settings.model')}>
      <div class="field tall">
        <label for="setting-system">{t('settings.system')}</label>
        <textarea
          id="setting-system"
          rows={4}
          value={system}
          dir="auto"
          aria-describedby="setting-system-hint"
          onInput={(event) => actions.settings({ system: event.currentTarget.value })}
        />
        <p class="hint" id="setting-system-hint">
          {t('settings.system_hint')}
        </p>
      </div>
    </Part>
  );
}

const kSamplingWords: Record<keyof Sampling, WordKey> = {
  temperature: 'settings.temperature',
  top_p: 'settings.top_p',
  top_k: 'settings.top_k',
  min_p: 'settings.min_p',
  repeat_penalty: 'settings.repeat',
  max_tokens: 'settings.max_tokens',
  thinking_budget: 'settings.budget',
  seed: 'settings.seed',
};

function SamplingFields(): JSX.Element {
  const { actions } = useApp();
  const { t } = useSpeech();
  const sampling = useSelected((state) => state.settings.sampling);
  const [round, setRound] = useState(0); // a new one empties the fields
  return (
    <Part title={t('settings.sampling')}>
      <div class="grid" key={round}>
        {(Object.keys(kSamplingWords) as (keyof Sampling)[]).map((name) => {
          const { least, most, step } = kSamplingRanges[name];
          return (
            <div class="field small" key={name}>
              <label for={`setting-${name}`}>{t(kSamplingWords[name])}</label>
              <input
                id={`setting-${name}`}
                type="number"
                inputMode="decimal"
                min={least}
                max={most}
                step={step}
                defaultValue={sampling[name]?.toString() ?? ''}
                placeholder={t('settings.own')}
                onInput={(event) => {
                  const field = event.currentTarget;
                  const value = field.value === '' ? null : readNumber(name, field.valueAsNumber);
                  field.setAttribute(
                    'aria-invalid',
                    String(value === null && (field.value !== '' || field.validity.badInput)),
                  );
                  actions.settings({ sampling: { ...sampling, [name]: value } });
                }}
              />
            </div>
          );
        })}
      </div>
      <button
        type="button"
        onClick={() => {
          actions.settings({ sampling: kOwnSampling });
          setRound(round + 1);
        }}
      >
        {t('settings.reset')}
      </button>
    </Part>
  );
}

function Tools(): JSX.Element {
  const { actions } = useApp();
  const { t } = useSpeech();
  const pageTools = useSelected((state) => state.settings.pageTools);
  const ownTools = useSelected((state) => state.settings.ownTools);
  let reason = '';
  try {
    parseDeclarations(ownTools);
  } catch (error) {
    reason = error instanceof Error ? error.message : String(error);
  }
  return (
    <Part title={t('settings.tools')}>
      <div class="field check">
        <input
          id="setting-page-tools"
          type="checkbox"
          checked={pageTools}
          aria-describedby="setting-page-tools-hint"
          onChange={(event) => actions.settings({ pageTools: event.currentTarget.checked })}
        />
        <label for="setting-page-tools">{t('settings.page_tools')}</label>
        <p class="hint" id="setting-page-tools-hint">
          {t('settings.page_tools_hint')}
        </p>
      </div>
      <div class="field tall">
        <label for="setting-own-tools">{t('settings.own_tools')}</label>
        <textarea
          id="setting-own-tools"
          class="code-field"
          rows={4}
          value={ownTools}
          spellcheck={false}
          aria-invalid={reason !== ''}
          aria-describedby="setting-own-tools-hint"
          onInput={(event) => actions.settings({ ownTools: event.currentTarget.value })}
        />
        <p class="hint" id="setting-own-tools-hint" role={reason ? 'alert' : undefined}>
          {reason ? t('settings.own_tools_bad', { reason }) : t('settings.own_tools_hint')}
        </p>
      </div>
    </Part>
  );
}

function Data(): JSX.Element {
  const { store, actions } = useApp();
  const speech = useSpeech();
  const { t } = speech;
  const count = useSelected((state) => Object.keys(state.conversations).length);
  const file = useRef<HTMLInputElement>(null);
  return (
    <Part title={t('settings.data')}>
      <p class="hint">{t('settings.data_note', { count })}</p>
      <div class="buttons">
        <button type="button" disabled={count === 0} onClick={() => actions.exportAll()}>
          {t('settings.export')}
        </button>
        <button type="button" onClick={() => file.current?.click()}>
          {t('settings.import')}
        </button>
        <input
          ref={file}
          type="file"
          id="import-file"
          accept=".json,application/json"
          hidden
          aria-label={t('settings.import')}
          onChange={(event) => {
            const chosen = event.currentTarget.files?.[0];
            if (chosen) void actions.importFile(chosen, speech);
            event.currentTarget.value = '';
          }}
        />
        <button type="button" onClick={() => actions.forgetKey()}>
          {t('settings.key_forget')}
        </button>
        <button
          type="button"
          class="danger"
          disabled={count === 0}
          onClick={() => store.set({ dialog: { kind: 'delete_all' } })}
        >
          {t('settings.delete_all')}
        </button>
      </div>
    </Part>
  );
}

function Shortcuts(): JSX.Element {
  const { t } = useSpeech();
  const keys: [string, string][] = [
    ['Enter', t('settings.shortcut_send')],
    ['Shift + Enter', t('settings.shortcut_line')],
    ['Esc', t('settings.shortcut_stop')],
    ['Ctrl / ⌘ + K', t('settings.shortcut_search')],
    ['Ctrl / ⌘ + Shift + O', t('settings.shortcut_new')],
  ];
  return (
    <Part title={t('settings.shortcuts')}>
      <dl class="keys">
        {keys.map(([key, what]) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
    </Part>
  );
}
