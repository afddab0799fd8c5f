// The two tools that run in the page itself, and the check of declarations that a person enters. What a tool answers is
// a text for the model; a wrong call is answered with what was wrong, so that the model can do better.
import type { Call } from '../api/answer';
import { calculate, writeNumber } from './calculator';

export interface ToolDeclaration {
  type: 'function';
  function: { name: string; description?: string; parameters?: unknown };
}

export const kPageTools: ToolDeclaration[] = [
  {
    type: 'function',
    function: {
      name: 'clock',
      description: 'Tells the date, the time, the weekday and the time zone of the user.',
      parameters: { type: 'object', properties: {}, additionalProperties: false },
    },
  },
  {
    type: 'function',
    function: {
      name: 'calculator',
      description: 'Works out a sum exactly, for example "(12.5 + 3) * 4^2" or "sqrt(2)".',
      parameters: {
        type: 'object',
        properties: { expression: { type: 'string', description: 'The sum' } },
        required: ['expression'],
        additionalProperties: false,
      },
    },
  },
];

// null: it is not a tool of the page.
export function runPageTool(call: Call, now: Date): string | null {
  if (call.name === 'clock') return clock(now);
  if (call.name !== 'calculator') return null;
  try {
    const expression = (JSON.parse(call.arguments || '{}') as { expression?: unknown }).expression;
    if (typeof expression !== 'string') return 'error: expression: expected a text';
    return writeNumber(calculate(expression));
  } catch (error) {
    return `error: ${error instanceof Error ? error.message : String(error)}`;
  }
}

function clock(now: Date): string {
  const two = (value: number): string => String(value).padStart(2, '0');
  const weekday = new Intl.DateTimeFormat('en', { weekday: 'long' }).format(now);
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const date = `${now.getFullYear()}-${two(now.getMonth() + 1)}-${two(now.getDate())}`;
  return `${date} ${two(now.getHours())}:${two(now.getMinutes())} (${weekday}, ${zone})`;
}

// The declarations that a person entered. Throws an Error whose message says what is wrong.
export function parseDeclarations(text: string): ToolDeclaration[] {
  if (text.trim() === '') return [];
  const parsed: unknown = JSON.parse(text);
  if (!Array.isArray(parsed)) throw new Error('[…]');
  const names = new Set(kPageTools.map((tool) => tool.function.name));
  return parsed.map((item: unknown, index) => {
    const made = (item as { function?: { name?: unknown } } | null)?.function;
    if (typeof made?.name !== 'string' || !/^[A-Za-z0-9_-]{1,64}$/.test(made.name))
      throw new Error(`[${index}].function.name`);
    if (names.has(made.name)) throw new Error(`[${index}].function.name: "${made.name}"`);
    names.add(made.name);
    return { type: 'function', function: made } as ToolDeclaration;
  });
}
