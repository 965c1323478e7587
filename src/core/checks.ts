/** Looks at one value of a file that a person wrote; `at` is the way to it, as in `devices[2].kernel.release`. */
export type Check = (value: unknown, at: string) => void;

/** What a check found. Whoever had the file checked knows its name, and says it. */
export class Misfit extends Error {
  constructor(
    readonly at: string,
    problem: string,
  ) {
    super(`${at === '' ? 'it' : at} ${problem}`);
  }
}

/** @throws Misfit, naming the place */
export function reject(at: string, problem: string): never {
  throw new Misfit(at, problem);
}

/** A value as it is shown in a message: short, on one line. */
export function shown(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object' && value !== null) return 'an object';
  const text = typeof value === 'string' ? JSON.stringify(value) : String(value);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

export const text: Check = (value, at) => {
  if (typeof value !== 'string') reject(at, `must be text, not ${shown(value)}`);
};

export const nonEmptyText: Check = (value, at) => {
  text(value, at);
  if (value === '') reject(at, 'must not be empty');
  if (typeof value === 'string' && value.includes('\0')) reject(at, 'must not hold a NUL character');
};

export const boolean: Check = (value, at) => {
  if (typeof value !== 'boolean') reject(at, `must be true or false, not ${shown(value)}`);
};

export function integer(least: number, most = Number.MAX_SAFE_INTEGER): Check {
  return (value, at) => {
    if (!Number.isSafeInteger(value) || Number(value) < least || Number(value) > most) {
      const range = most === Number.MAX_SAFE_INTEGER ? `of ${least} or more` : `from ${least} to ${most}`;
      reject(at, `must be a whole number ${range}, not ${shown(value)}`);
    }
  };
}

export function oneOf(choices: readonly unknown[]): Check {
  return (value, at) => {
    if (!choices.includes(value))
      reject(at, `must be one of ${choices.map(shown).join(', ')}, not ${shown(value)}`);
  };
}

export function matching(pattern: RegExp, what: string): Check {
  return (value, at) => {
    if (typeof value !== 'string' || !pattern.test(value)) reject(at, `must be ${what}, not ${shown(value)}`);
  };
}

export function listOf(check: Check): Check {
  return (value, at) => {
    if (!Array.isArray(value)) reject(at, `must be a list, not ${shown(value)}`);
    for (const [index, item] of value.entries()) check(item, `${at}[${index}]`);
  };
}

/** An object whose keys are free. */
export function recordOf(check: Check, key: Check = text): Check {
  return (value, at) => {
    for (const [name, item] of entriesOf(value, at)) {
      key(name, `the name ${shown(name)} in ${at}`);
      check(item, `${at}[${JSON.stringify(name)}]`);
    }
  };
}

/** An object with these fields, of which `required` must be there. */
export function objectOf(fields: Record<string, Check>, required: readonly string[] = []): Check {
  return (value, at) => {
    const entries = entriesOf(value, at);
    const inside = (name: string) => (at === '' ? name : `${at}.${name}`);
    for (const [name, item] of entries) {
      const check = Object.hasOwn(fields, name) ? fields[name] : undefined;
      if (check === undefined) {
        reject(
          at,
          `has a field ${shown(name)} that is not known; known are ${Object.keys(fields).join(', ')}`,
        );
      }
      if (item !== undefined) check(item, inside(name));
    }
    for (const name of required) {
      if (!entries.some(([key, item]) => key === name && item !== undefined))
        reject(inside(name), 'is missing');
    }
  };
}

/** An object whose field `tag` says which of these it is. */
export function oneKindOf(tag: string, kinds: Record<string, Check>): Check {
  return (value, at) => {
    const [, kind] = entriesOf(value, at).find(([name]) => name === tag) ?? [];
    oneOf(Object.keys(kinds))(kind, `${at}.${tag}`);
    kinds[String(kind)]?.(value, at);
  };
}

function entriesOf(value: unknown, at: string): [string, unknown][] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    reject(at, `must be an object, not ${shown(value)}`);
  }
  return Object.entries(value);
}
