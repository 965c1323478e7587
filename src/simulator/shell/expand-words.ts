import { posix } from 'node:path';
import { evaluateArithmetic } from './arithmetic';
import { escapePattern, hasWildcards, patternToRegExp, trimPattern } from './patterns';
import type { Command, Operation, Word, WordPart } from './script-tree';

/** What words need to know of the shell that they are expanded in. */
export interface ExpansionScope {
  variable(name: string): string | undefined;
  setVariable(name: string, value: string): void;
  positional: readonly string[];
  /** What a script prints. */
  capture(script: Command): Promise<string>;
  /** The names in a folder; empty where it can't be read. */
  namesIn(folder: string): string[];
  exists(path: string): boolean;
  cwd: string;
}

/** `${name:?text}` on a variable that is not set: the shell ends. */
export class ExpansionError extends Error {}

/** Part of a field under way: `pattern` is its text with what is quoted made literal. */
interface Field {
  text: string;
  pattern: string;
  /** Whether the field exists even if it is empty. */
  kept: boolean;
}

/** The fields that words come to: expanded, split at blanks, and matched against file names. */
export async function expandFields(words: readonly Word[], scope: ExpansionScope): Promise<string[]> {
  const result: string[] = [];
  for (const word of words) {
    for (const field of await splitFields(word, scope)) {
      const names = hasWildcards(field.pattern) ? matchingPaths(field.pattern, scope) : [];
      if (names.length > 0) result.push(...names);
      else result.push(field.text);
    }
  }
  return result;
}

/** The text that a word comes to where it stays one: values of assignments, subjects of case, redirections. */
export async function expandText(word: Word, scope: ExpansionScope): Promise<string> {
  let text = '';
  for (const part of word) text += (await expandPart(part, scope)).join(' ');
  return text;
}

/** A word as a pattern: what is quoted stands for itself. */
export async function expandPattern(word: Word, scope: ExpansionScope): Promise<string> {
  let pattern = '';
  for (const part of word) {
    const text = (await expandPart(part, scope)).join(' ');
    pattern += part.quoted ? escapePattern(text) : text;
  }
  return pattern;
}

async function splitFields(word: Word, scope: ExpansionScope): Promise<Field[]> {
  const fields: Field[] = [];
  let field: Field | undefined;
  const add = (text: string, quoted: boolean) => {
    field ??= { text: '', pattern: '', kept: false };
    field.text += text;
    field.pattern += quoted ? escapePattern(text) : text;
    field.kept ||= quoted || text !== '';
  };
  const close = () => {
    if (field?.kept) fields.push(field);
    field = undefined;
  };
  for (const part of word) {
    const texts = await expandPart(part, scope);
    if (part.type === 'text' || (part.quoted && !isAllPositional(part))) {
      add(texts.join(' '), part.quoted);
      continue;
    }
    const pieces = part.quoted ? texts : texts.flatMap((text) => splitAtBlanks(text));
    if (!part.quoted && /^[ \t\n]/.test(texts[0] ?? '')) close();
    for (const [index, piece] of pieces.entries()) {
      if (index > 0) close();
      add(piece, part.quoted);
    }
    if (!part.quoted && /[ \t\n]$/.test(texts.at(-1) ?? '')) close();
  }
  close();
  return fields;
}

function isAllPositional(part: WordPart): boolean {
  return part.type === 'variable' && part.name === '@' && part.operation === undefined;
}

function splitAtBlanks(text: string): string[] {
  return text.split(/[ \t\n]+/).filter((piece) => piece !== '');
}

/** The texts of a part: one, but for `$@`. */
async function expandPart(part: WordPart, scope: ExpansionScope): Promise<string[]> {
  switch (part.type) {
    case 'text':
      return [part.text];
    case 'substitution':
      return [(await scope.capture(part.script)).replace(/\n+$/, '')];
    case 'arithmetic':
      return [String(evaluateArithmetic(await expandText(part.expression, scope), scope))];
    case 'variable':
      if (isAllPositional(part)) return [...scope.positional];
      return [await expandVariable(part.name, part.operation, scope)];
  }
}

async function expandVariable(
  name: string,
  operation: Operation | undefined,
  scope: ExpansionScope,
): Promise<string> {
  const value = scope.variable(name);
  if (operation === undefined) return value ?? '';
  const { operator, argument } = operation;
  if (operator === 'length') return String((value ?? '').length);
  if (operator === '#' || operator === '##' || operator === '%' || operator === '%%') {
    return trimPattern(value ?? '', await expandPattern(argument, scope), operator);
  }
  const missing = value === undefined || (operator.startsWith(':') && value === '');
  switch (operator.slice(-1)) {
    case '+':
      return missing ? '' : expandText(argument, scope);
    case '-':
      return missing ? expandText(argument, scope) : value;
    case '=':
      if (missing) scope.setVariable(name, await expandText(argument, scope));
      return scope.variable(name) ?? '';
    default:
      if (missing)
        throw new ExpansionError(
          `${name}: ${(await expandText(argument, scope)) || 'parameter null or not set'}`,
        );
      return value;
  }
}

/** The paths that match, in the order of their bytes; none where nothing does. */
function matchingPaths(pattern: string, scope: ExpansionScope): string[] {
  const absolute = pattern.startsWith('/');
  let found = [absolute ? '/' : ''];
  for (const part of pattern.split('/').filter((piece) => piece !== '')) {
    const names = patternToRegExp(part);
    if (!hasWildcards(part)) {
      const name = part.replace(/\\(.)/g, '$1');
      found = found
        .map((folder) => posix.join(folder, name))
        .filter((path) => scope.exists(posix.resolve(scope.cwd, path)));
      continue;
    }
    found = found.flatMap((folder) =>
      scope
        .namesIn(posix.resolve(scope.cwd, folder))
        .filter((name) => names.test(name) && (part.startsWith('.') || !name.startsWith('.')))
        .map((name) => posix.join(folder, name)),
    );
  }
  return found;
}
