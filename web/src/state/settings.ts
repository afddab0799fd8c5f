// What a person has chosen. null and '' mean "the model's own", and are not sent. Read back from the device as if from
// a stranger: a value of a wrong type or out of its range becomes the default.
import type { Language } from '../words/words';

export interface Sampling {
  temperature: number | null;
  top_p: number | null;
  top_k: number | null;
  min_p: number | null;
  repeat_penalty: number | null;
  max_tokens: number | null;
  thinking_budget: number | null;
  seed: number | null;
}

export interface Settings {
  language: Language | 'auto';
  theme: 'auto' | 'light' | 'dark';
  model: string; // '': the server's first
  system: string;
  thinking: boolean;
  sampling: Sampling;
  pageTools: boolean;
  ownTools: string; // JSON as the person wrote it
  machineOpen: boolean;
}

export interface SamplingRange {
  least: number;
  most: number;
  step: number;
  whole: boolean;
}

// The ranges are the server's.
export const kSamplingRanges: Record<keyof Sampling, SamplingRange> = {
  temperature: { least: 0, most: 2, step: 0.05, whole: false },
  top_p: { least: 0, most: 1, step: 0.05, whole: false },
  top_k: { least: 0, most: 1000, step: 1, whole: true },
  min_p: { least: 0, most: 1, step: 0.01, whole: false },
  repeat_penalty: { least: 0.5, most: 2, step: 0.05, whole: false },
  max_tokens: { least: 1, most: 1_000_000, step: 1, whole: true },
  thinking_budget: { least: 0, most: 1_000_000, step: 1, whole: true },
  seed: { least: 0, most: Number.MAX_SAFE_INTEGER, step: 1, whole: true },
};

export const kOwnSampling: Sampling = {
  temperature: null,
  top_p: null,
  top_k: null,
  min_p: null,
  repeat_penalty: null,
  max_tokens: null,
  thinking_budget: null,
  seed: null,
};

export const kDefaultSettings: Settings = {
  language: 'auto',
  theme: 'auto',
  model: '',
  system: '',
  thinking: false,
  sampling: kOwnSampling,
  pageTools: false,
  ownTools: '',
  machineOpen: false,
};

export function readNumber(name: keyof Sampling, value: unknown): number | null {
  const range = kSamplingRanges[name];
  if (typeof value !== 'number' || !Number.isFinite(value) || value < range.least || value > range.most) return null;
  return range.whole && !Number.isInteger(value) ? null : value;
}

export function readSettings(kept: unknown): Settings {
  const fields = (typeof kept === 'object' && kept !== null ? kept : {}) as Record<string, unknown>;
  const own = kDefaultSettings;
  const text = (name: string): string => (typeof fields[name] === 'string' ? (fields[name] as string) : '');
  const flag = (name: string, otherwise: boolean): boolean =>
    typeof fields[name] === 'boolean' ? (fields[name] as boolean) : otherwise;
  const among = <T extends string>(name: string, values: readonly T[], otherwise: T): T =>
    values.includes(fields[name] as T) ? (fields[name] as T) : otherwise;
  const sampling = (
    typeof fields['sampling'] === 'object' && fields['sampling'] !== null ? fields['sampling'] : {}
  ) as Record<string, unknown>;
  const names = Object.keys(kOwnSampling) as (keyof Sampling)[];
  return {
    language: among('language', ['auto', 'zh-Hans', 'zh-Hant', 'yue', 'en'], own.language),
    theme: among('theme', ['auto', 'light', 'dark'], own.theme),
    model: text('model'),
    system: text('system'),
    thinking: flag('thinking', own.thinking),
    sampling: Object.fromEntries(names.map((name) => [name, readNumber(name, sampling[name])])) as unknown as Sampling,
    pageTools: flag('pageTools', own.pageTools),
    ownTools: text('ownTools'),
    machineOpen: flag('machineOpen', own.machineOpen),
  };
}

// The fields of a request that the settings give.
export function requestFields(settings: Settings, model: string): Record<string, unknown> {
  const { thinking_budget, ...sampling } = settings.sampling;
  const fields: Record<string, unknown> = {};
  if (model !== '') fields['model'] = model;
  for (const [name, value] of Object.entries(sampling)) if (value !== null) fields[name] = value;
  const thinking: Record<string, unknown> = { enable_thinking: settings.thinking };
  if (settings.thinking && thinking_budget !== null) thinking['thinking_budget'] = thinking_budget;
  fields['chat_template_kwargs'] = thinking;
  return fields;
}
