// Sums as people and models write them: + - * / ^ %, brackets, a few functions and constants. A small parser of its own,
// because the policy forbids eval, and rightly. It refuses what it does not know by name.

export class SumError extends Error {}

const kFunctions: Record<string, (...x: number[]) => number> = {
  sqrt: Math.sqrt,
  abs: Math.abs,
  round: Math.round,
  floor: Math.floor,
  ceil: Math.ceil,
  sin: Math.sin,
  cos: Math.cos,
  tan: Math.tan,
  asin: Math.asin,
  acos: Math.acos,
  atan: Math.atan,
  exp: Math.exp,
  ln: Math.log,
  log: Math.log10,
  log2: Math.log2,
  min: Math.min,
  max: Math.max,
};
const kConstants: Record<string, number> = { pi: Math.PI, e: Math.E };
const kMostLetters = 500;
const kDeepest = 60;

export function calculate(expression: string): number {
  if (expression.length > kMostLetters) throw new SumError('too long');
  const text = expression
    .normalize('NFKC')
    .replace(/[×·]/g, '*')
    .replace(/÷/g, '/')
    .replace(/[−–]/g, '-')
    .replace(/\*\*/g, '^');
  const tokens = text.match(/\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|\.\d+|[a-zA-Z]\w*|[-+*/^%(),]|\S/g) ?? [];
  let at = 0;
  let depth = 0;

  const take = (wanted: string): boolean => {
    if (tokens[at] !== wanted) return false;
    ++at;
    return true;
  };
  const expect = (wanted: string): void => {
    if (!take(wanted)) throw new SumError(`expected "${wanted}", got "${tokens[at] ?? 'the end'}"`);
  };

  function sum(): number {
    if (++depth > kDeepest) throw new SumError('too many brackets');
    let value = product();
    for (;;) {
      if (take('+')) value += product();
      else if (take('-')) value -= product();
      else break;
    }
    --depth;
    return value;
  }
  function product(): number {
    let value = signed();
    for (;;) {
      if (take('*')) value *= signed();
      else if (take('/')) value /= signed();
      else if (tokens[at] === '%' && startsValue(tokens[at + 1])) {
        ++at;
        value %= signed();
      } else return value;
    }
  }
  function signed(): number {
    let sign = 1;
    for (;;) {
      if (take('-')) sign = -sign;
      else if (!take('+')) return sign * power();
    }
  }
  // 2^3^2 is 2^9, and -2^2 is -4, as in mathematics.
  function power(): number {
    const base = percent();
    if (!take('^')) return base;
    if (++depth > kDeepest) throw new SumError('too many powers');
    const exponent = signed();
    --depth;
    return base ** exponent;
  }
  // "20%" is 0.2; between two values the sign is the remainder.
  function percent(): number {
    let value = simple();
    while (tokens[at] === '%' && !startsValue(tokens[at + 1])) {
      ++at;
      value /= 100;
    }
    return value;
  }
  function simple(): number {
    const token = tokens[at++];
    if (token === undefined) throw new SumError('ends too early');
    if (/^[\d.]/.test(token)) return Number(token);
    if (token === '(') {
      const value = sum();
      expect(')');
      return value;
    }
    const name = token.toLowerCase();
    if (Object.hasOwn(kConstants, name)) return kConstants[name]!;
    if (!Object.hasOwn(kFunctions, name)) throw new SumError(`"${token}" is not known`);
    expect('(');
    const values = [sum()];
    while (take(',')) values.push(sum());
    expect(')');
    return kFunctions[name]!(...values);
  }

  const value = sum();
  if (at < tokens.length) throw new SumError(`"${tokens[at]}" was not expected`);
  if (!Number.isFinite(value)) throw new SumError('no finite result');
  return value;
}

const startsValue = (token: string | undefined): boolean => token !== undefined && /^[\w.(]/.test(token);

// Binary fractions show themselves past the 15th digit: 0.1 + 0.2 is to read 0.3.
export const writeNumber = (value: number): string => String(Number(value.toPrecision(15)));
