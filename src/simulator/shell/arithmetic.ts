/** `$(( … ))` is not what the simulated shell can count. */
export class ArithmeticError extends Error {}

interface Variables {
  variable(name: string): string | undefined;
}

const LEVELS: Record<string, (one: number, other: number) => number>[] = [
  { '||': (a, b) => Number(a !== 0 || b !== 0) },
  { '&&': (a, b) => Number(a !== 0 && b !== 0) },
  { '==': (a, b) => Number(a === b), '!=': (a, b) => Number(a !== b) },
  {
    '<=': (a, b) => Number(a <= b),
    '>=': (a, b) => Number(a >= b),
    '<': (a, b) => Number(a < b),
    '>': (a, b) => Number(a > b),
  },
  { '+': (a, b) => a + b, '-': (a, b) => a - b },
  { '*': (a, b) => a * b, '/': divide, '%': (a, b) => a - b * divide(a, b) },
];

/** Whole numbers, variables, parentheses and the usual operators. @throws ArithmeticError */
export function evaluateArithmetic(expression: string, variables: Variables): number {
  const tokens: string[] = expression.match(/\d+|[A-Za-z_]\w*|&&|\|\||[=!<>]=|\S/g) ?? [];
  const result = level(0, tokens, variables);
  if (tokens.length > 0) throw new ArithmeticError(`${expression}: unexpected '${tokens[0] ?? ''}'`);
  return result;
}

function level(depth: number, tokens: string[], variables: Variables): number {
  const operators = LEVELS[depth];
  if (operators === undefined) return unary(tokens, variables);
  let value = level(depth + 1, tokens, variables);
  for (let operate = operators[tokens[0] ?? '']; operate; operate = operators[tokens[0] ?? '']) {
    tokens.shift();
    value = operate(value, level(depth + 1, tokens, variables));
  }
  return value;
}

function unary(tokens: string[], variables: Variables): number {
  const token = tokens.shift() ?? '';
  if (token === '-') return -unary(tokens, variables);
  if (token === '+') return unary(tokens, variables);
  if (token === '!') return Number(unary(tokens, variables) === 0);
  if (token === '(') {
    const value = level(0, tokens, variables);
    if (tokens.shift() !== ')') throw new ArithmeticError("missing ')'");
    return value;
  }
  if (/^\d+$/.test(token)) return Number(token);
  if (!/^[A-Za-z_]/.test(token)) throw new ArithmeticError(`unexpected '${token}'`);
  return Math.trunc(Number(variables.variable(token) ?? 0)) || 0;
}

function divide(one: number, other: number): number {
  if (other === 0) throw new ArithmeticError('divide by zero');
  return Math.trunc(one / other);
}
