import { parseList, parseScript } from './parse-script';
import { ScriptSyntaxError, type ScriptReader } from './script-reader';
import type { Operation, Word, WordPart } from './script-tree';

/** The next word, or undefined where an operator, a line's end or the end comes first. */
export function readWord(reader: ScriptReader): Word | undefined {
  reader.skipSpace();
  if (/^[\s;&|<>()]?$/.test(reader.peek())) return undefined;
  return readParts(reader, /[\s;&|<>()]/);
}

/** Parts up to a character that ends them, which stays unread. */
function readParts(reader: ScriptReader, end: RegExp): Word {
  const word: Word = [];
  while (!reader.atEnd && !end.test(reader.peek())) word.push(...readPart(reader));
  return word;
}

function readPart(reader: ScriptReader): WordPart[] {
  const character = reader.next();
  switch (character) {
    case "'":
      return [{ type: 'text', text: readSingleQuoted(reader), quoted: true }];
    case '"':
      return readDoubleQuoted(reader);
    case '\\':
      return reader.peek() === '\n'
        ? (reader.skip(1), [])
        : [{ type: 'text', text: reader.next(), quoted: true }];
    case '$':
      return [readDollar(reader, false)];
    case '`':
      return [readBackquoted(reader, false)];
    default:
      return [{ type: 'text', text: character, quoted: false }];
  }
}

function readSingleQuoted(reader: ScriptReader): string {
  let text = '';
  for (let character = reader.next(); character !== "'"; character = reader.next()) text += character;
  return text;
}

function readDoubleQuoted(reader: ScriptReader): Word {
  const word: Word = [{ type: 'text', text: '', quoted: true }];
  const add = (text: string) => word.push({ type: 'text', text, quoted: true });
  for (let character = reader.next(); character !== '"'; character = reader.next()) {
    if (character === '$') word.push(readDollar(reader, true));
    else if (character === '`') word.push(readBackquoted(reader, true));
    else if (character !== '\\') add(character);
    else if (reader.peek() === '\n') reader.skip(1);
    else add(/[$`"\\]/.test(reader.peek()) ? reader.next() : '\\');
  }
  return word;
}

function readDollar(reader: ScriptReader, quoted: boolean): WordPart {
  if (reader.matchAhead(/\(\(/y)) return readArithmetic(reader, quoted);
  if (reader.peek() === '(') {
    reader.skip(1);
    const script = parseList(reader);
    if (!reader.take(')')) throw reader.unexpected();
    return { type: 'substitution', script, quoted };
  }
  if (reader.peek() === '{') {
    reader.skip(1);
    return readBraced(reader, quoted);
  }
  const name = reader.matchAhead(/[A-Za-z_]\w*|[0-9?#@*$!-]/y)?.[0];
  if (name === undefined) return { type: 'text', text: '$', quoted };
  reader.skip(name.length);
  return { type: 'variable', name, operation: undefined, quoted };
}

function readArithmetic(reader: ScriptReader, quoted: boolean): WordPart {
  reader.skip(2);
  const expression: Word = [];
  for (let depth = 0; depth > 0 || !reader.matchAhead(/\)\)/y);) {
    if (reader.peek() === '(') depth += 1;
    if (reader.peek() === ')') depth -= 1;
    expression.push(...readPart(reader));
  }
  reader.skip(2);
  return { type: 'arithmetic', expression, quoted };
}

function readBraced(reader: ScriptReader, quoted: boolean): WordPart {
  const length = reader.matchAhead(/#(?=[A-Za-z_0-9@*])/y);
  if (length !== null) reader.skip(1);
  const name = reader.matchAhead(/[A-Za-z_]\w*|\d+|[?#@*$!-]/y)?.[0];
  if (name === undefined) throw new ScriptSyntaxError('bad substitution');
  reader.skip(name.length);
  let operation: Operation | undefined = length === null ? undefined : { operator: 'length', argument: [] };
  const operator = reader.matchAhead(/:?[-=+?]|##?|%%?/y)?.[0];
  if (operator !== undefined && operation === undefined) {
    reader.skip(operator.length);
    operation = { operator: operator as Operation['operator'], argument: readParts(reader, /\}/) };
  }
  if (reader.next() !== '}') throw new ScriptSyntaxError('bad substitution');
  return { type: 'variable', name, operation, quoted };
}

function readBackquoted(reader: ScriptReader, quoted: boolean): WordPart {
  let text = '';
  for (let character = reader.next(); character !== '`'; character = reader.next()) {
    text += character === '\\' && /[$`\\]/.test(reader.peek()) ? reader.next() : character;
  }
  return { type: 'substitution', script: parseScript(text), quoted };
}
