// The page's languages: which one a browser asks for, and the words and numbers of each.
import { en, type WordKey, type Words } from './en';
import { yue } from './yue';
import { zhHans } from './zh_hans';
import { zhHant } from './zh_hant';

export type { WordKey, Words };
export type Language = 'zh-Hans' | 'zh-Hant' | 'yue' | 'en';

export interface LanguageEntry {
  name: string; // in the language itself
  tag: string; // for <html lang>: browsers choose the shapes of characters by it
  numbers: string; // for Intl
  words: Words;
}

export const kLanguages: Record<Language, LanguageEntry> = {
  'zh-Hans': { name: '简体中文', tag: 'zh-Hans', numbers: 'zh-CN', words: zhHans },
  'zh-Hant': { name: '繁體中文', tag: 'zh-Hant', numbers: 'zh-TW', words: zhHant },
  yue: { name: '粵語', tag: 'yue-Hant', numbers: 'zh-HK', words: yue },
  en: { name: 'English', tag: 'en', numbers: 'en', words: en },
};

// The first of the browser's languages that the page has. Hong Kong's and Macau's Chinese is traditional; Cantonese is
// taken only where it is asked for by name, because readers of written Chinese there are many more.
export function chooseLanguage(wanted: readonly string[]): Language {
  for (const tag of wanted) {
    const lower = tag.toLowerCase();
    if (/^yue\b/.test(lower) || /^zh-yue\b/.test(lower)) return 'yue';
    if (/^zh\b/.test(lower)) return /hant|-tw|-hk|-mo/.test(lower) ? 'zh-Hant' : 'zh-Hans';
    if (/^en\b/.test(lower)) return 'en';
  }
  return 'en';
}

export type Translate = (key: WordKey, places?: Record<string, string | number>) => string;

export function translator(language: Language): Translate {
  const { words, numbers } = kLanguages[language];
  const format = new Intl.NumberFormat(numbers);
  return (key, places = {}) =>
    words[key].replace(/\{(\w+)\}/g, (whole, name: string) => {
      const value = places[name];
      return value === undefined ? whole : typeof value === 'number' ? format.format(value) : value;
    });
}

// Numbers with units, short enough for a narrow panel.
export interface Format {
  number(value: number): string;
  rate(value: number): string;
  percent(part: number): string;
  bytes(value: number): string;
  milliseconds(value: number): string;
  energy(joules: number): string;
}

export function formatter(language: Language): Format {
  const locale = kLanguages[language].numbers;
  const plain = new Intl.NumberFormat(locale, { maximumFractionDigits: 0 });
  const fine = new Intl.NumberFormat(locale, { maximumSignificantDigits: 3 });
  const percent = new Intl.NumberFormat(locale, { style: 'percent', maximumFractionDigits: 0 });
  return {
    number: (value) => plain.format(value),
    rate: (value) => (value >= 100 ? plain : fine).format(value),
    percent: (part) => percent.format(part),
    bytes: (value) => {
      const units = ['B', 'KB', 'MB', 'GB', 'TB'];
      let unit = 0;
      for (; value >= 1024 && unit < units.length - 1; ++unit) value /= 1024;
      return `${(value >= 100 || unit === 0 ? plain : fine).format(value)} ${units[unit]}`;
    },
    milliseconds: (value) => (value < 1000 ? `${plain.format(value)} ms` : `${fine.format(value / 1000)} s`),
    energy: (joules) => (joules < 3600 ? `${fine.format(joules)} J` : `${fine.format(joules / 3600)} Wh`),
  };
}
