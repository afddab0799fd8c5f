// The languages, the settings and the page's own tools.
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { kSamplingRanges, readNumber, readSettings, kDefaultSettings, requestFields } from '../src/state/settings';
import { calculate, writeNumber } from '../src/tools/calculator';
import { parseDeclarations, runPageTool } from '../src/tools/page_tools';
import { en, type WordKey } from '../src/words/en';
import { chooseLanguage, formatter, kLanguages, translator, type Language } from '../src/words/words';

const languages = Object.keys(kLanguages) as Language[];
const places = (text: string): string[] => (text.match(/\{\w+\}/g) ?? []).sort();

describe('the languages', () => {
  it.each(languages)('%s has every text, none empty, with the same places', (language) => {
    const { words } = kLanguages[language];
    expect(Object.keys(words).sort()).toEqual(Object.keys(en).sort());
    for (const key of Object.keys(en) as WordKey[]) {
      expect(words[key].trim(), key).not.toBe('');
      expect(places(words[key]), key).toEqual(places(en[key]));
    }
  });

  it('are written in their own characters', () => {
    const all = (language: Language): string => Object.values(kLanguages[language].words).join('');
    expect(all('zh-Hans')).not.toMatch(/[這個說們對設選擇檔體裡開關機訊網頁覽儲]/);
    for (const language of ['zh-Hant', 'yue'] as const)
      expect(all(language)).not.toMatch(/[这个说们对设选择体开关机讯网页览储]/);
    expect(all('yue')).toMatch(/[嘅喺咗佢冇唔]/);
    expect(all('zh-Hant')).not.toMatch(/[嘅喺咗佢冇唔]/);
  });

  it('are used: no text is left over', () => {
    const source = readdirSync('src', { recursive: true, encoding: 'utf8' })
      .filter((path) => /\.tsx?$/.test(path) && !path.startsWith('words'))
      .map((path) => readFileSync(`src/${path}`, 'utf8'))
      .join('\n');
    for (const key of Object.keys(en)) {
      const made = /^(fault\.|empty\.(start|prompt)_)/.test(key); // put together from a kind or a number
      expect(made || source.includes(`'${key}'`), key).toBe(true);
    }
  });

  it.each<[string[], Language]>([
    [['zh-CN', 'en'], 'zh-Hans'],
    [['zh'], 'zh-Hans'],
    [['zh-SG'], 'zh-Hans'],
    [['zh-TW'], 'zh-Hant'],
    [['zh-HK'], 'zh-Hant'],
    [['zh-Hant-MO'], 'zh-Hant'],
    [['yue'], 'yue'],
    [['yue-Hant-HK', 'zh-HK'], 'yue'],
    [['zh-yue'], 'yue'],
    [['en-GB'], 'en'],
    [['fr', 'zh-TW'], 'zh-Hant'],
    [['fr'], 'en'],
    [[], 'en'],
  ])('for a browser that wants %j is %s', (wanted, language) => {
    expect(chooseLanguage(wanted)).toBe(language);
  });

  it('fill in places, and leave unknown ones', () => {
    expect(translator('en')('nav.found', { count: 12345 })).toBe('Found: 12,345');
    expect(translator('zh-Hans')('talk.delete_ask', { title: '{count} $& 甲' })).toBe('删除“{count} $& 甲”？');
    expect(translator('en')('nav.found')).toBe('Found: {count}');
  });

  it('write numbers', () => {
    const format = formatter('en');
    expect([
      format.bytes(0),
      format.bytes(1536),
      format.bytes(734003200),
      format.milliseconds(250),
      format.milliseconds(2345),
      format.percent(0.784),
      format.rate(23.456),
      format.energy(7200),
    ]).toEqual(['0 B', '1.5 KB', '700 MB', '250 ms', '2.35 s', '78%', '23.5', '2 Wh']);
  });
});

describe('settings', () => {
  it('that were kept are read as a stranger’s', () => {
    expect(readSettings(undefined)).toEqual(kDefaultSettings);
    expect(
      readSettings({
        language: 'xx',
        theme: 7,
        thinking: 'yes',
        sampling: { temperature: 99, top_k: 2.5, seed: 3 },
        system: 'S',
        extra: 1,
      }),
    ).toEqual({ ...kDefaultSettings, system: 'S', sampling: { ...kDefaultSettings.sampling, seed: 3 } });
  });
  it('send only what a person has set', () => {
    expect(requestFields(kDefaultSettings, '')).toEqual({ chat_template_kwargs: { enable_thinking: false } });
    const settings = {
      ...kDefaultSettings,
      thinking: true,
      sampling: { ...kDefaultSettings.sampling, temperature: 0, thinking_budget: 100 },
    };
    expect(requestFields(settings, 'm')).toEqual({
      model: 'm',
      temperature: 0,
      chat_template_kwargs: { enable_thinking: true, thinking_budget: 100 },
    });
  });
  it('have the borders of their ranges inside', () => {
    for (const [name, { least, most }] of Object.entries(kSamplingRanges)) {
      expect(readNumber(name as keyof typeof kSamplingRanges, least)).toBe(least);
      expect(readNumber(name as keyof typeof kSamplingRanges, most)).toBe(most);
      expect(readNumber(name as keyof typeof kSamplingRanges, NaN)).toBeNull();
    }
  });
});

describe('the calculator', () => {
  it.each<[string, string]>([
    ['1+2*3', '7'],
    ['(12.5 + 3) × 4', '62'],
    ['-2^2', '-4'],
    ['2^3^2', '512'],
    ['2^-1', '0.5'],
    ['0.1+0.2', '0.3'],
    ['20% * 50', '10'],
    ['17 % 5', '2'],
    ['sqrt(16) + max(1, 2, 3)', '7'],
    ['2 ÷ 4', '0.5'],
    ['1e3', '1000'],
    ['--3', '3'],
    ['（1＋2）＊3', '9'],
    ['ln(e)', '1'],
    ['pi', '3.14159265358979'],
  ])('%s = %s', (sum, result) => expect(writeNumber(calculate(sum))).toBe(result));
  it.each([
    '',
    '1+',
    '(1',
    '1)',
    'x',
    'constructor(1)',
    'alert(1)',
    '1/0',
    '2 3',
    '('.repeat(200),
    '2^'.repeat(100) + '2',
    '-'.repeat(499) + 'x',
    '1'.repeat(600),
  ])('refuses %j', (sum) => {
    expect(() => calculate(sum)).toThrow();
  });
});

describe('the page’s tools', () => {
  const call = (name: string, text: string): string | null =>
    runPageTool({ id: '1', name, arguments: text }, new Date(2026, 10, 28, 9, 5));
  it('answer, say what was wrong, and leave strange tools alone', () => {
    expect(call('clock', '{}')).toMatch(/^2026-11-28 09:05 \(Saturday, /);
    expect(call('calculator', '{"expression":"6*7"}')).toBe('42');
    expect(call('calculator', '{"expression":7}')).toMatch(/^error/);
    expect(call('calculator', '{"expr')).toMatch(/^error/);
    expect(call('shell', '{}')).toBeNull();
  });
  it('are declared by a person as a list, with names that are not taken', () => {
    expect(parseDeclarations('')).toEqual([]);
    expect(parseDeclarations('[{"type":"function","function":{"name":"lamp"}}]')).toHaveLength(1);
    for (const wrong of [
      '{',
      '{}',
      '[{}]',
      '[null]',
      '[{"function":{"name":"a b"}}]',
      '[{"function":{"name":"clock"}}]',
      '[{"function":{"name":"a"}},{"function":{"name":"a"}}]',
    ])
      expect(() => parseDeclarations(wrong), wrong).toThrow();
  });
});
