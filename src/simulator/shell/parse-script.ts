import type { Command, CompoundBody, Redirect, SimpleCommand, Word } from './script-tree';
import { ScriptReader, ScriptSyntaxError } from './script-reader';
import { readWord } from './parse-word';

const MOST_NESTING = 200;
const CLOSING_WORDS = ['then', 'elif', 'else', 'fi', 'do', 'done', 'esac', '}'];
const NAME = /[A-Za-z_][A-Za-z0-9_]*/y;

/**
 * Reads a script in the part of the POSIX shell's language that docs/simulator.md
 * lists: what kh and people at a demo send. Here-documents, background jobs and
 * aliases are not in it.
 *
 * @throws ScriptSyntaxError
 */
export function parseScript(text: string): Command {
  const reader = new ScriptReader(text);
  const script = parseList(reader);
  reader.skipSpace();
  if (!reader.atEnd) throw reader.unexpected();
  return script;
}

/** Commands up to whatever closes them: `)`, `}`, `;;`, a word like `done`, the end. */
export function parseList(reader: ScriptReader): Command {
  const commands: Command[] = [];
  reader.depth += 1;
  if (reader.depth > MOST_NESTING) throw new ScriptSyntaxError('nested too deep');
  for (;;) {
    reader.skipSeparators();
    if (reader.atEnd || reader.sees(')') || reader.sees(';;') || reader.seesWord(CLOSING_WORDS)) break;
    commands.push(parseAndOr(reader));
    reader.skipSpace();
    const ended = /^[;\n)]?$/.test(reader.peek()) || reader.seesWord(CLOSING_WORDS);
    if (!ended) throw reader.unexpected();
  }
  reader.depth -= 1;
  return commands.length === 1 && commands[0] ? commands[0] : { type: 'list', commands };
}

function parseAndOr(reader: ScriptReader): Command {
  const first = parsePipeline(reader);
  const rest: { operator: '&&' | '||'; command: Command }[] = [];
  for (;;) {
    const operator = reader.take('&&') ? '&&' : reader.take('||') ? '||' : undefined;
    if (operator === undefined) return rest.length === 0 ? first : { type: 'and-or', first, rest };
    reader.skipLines();
    rest.push({ operator, command: parsePipeline(reader) });
  }
}

function parsePipeline(reader: ScriptReader): Command {
  const negated = reader.takeWord('!');
  const commands = [parseCommand(reader)];
  while (!reader.sees('||') && reader.take('|')) {
    reader.skipLines();
    commands.push(parseCommand(reader));
  }
  const [only] = commands;
  return commands.length === 1 && only && !negated ? only : { type: 'pipeline', commands, negated };
}

function parseCommand(reader: ScriptReader): Command {
  const compound = parseCompound(reader);
  if (compound !== undefined) {
    return { type: 'compound', command: compound, redirects: parseRedirects(reader) };
  }
  const name = reader.matchAhead(/(?:function[ \t]+)?([A-Za-z_][\w.-]*)[ \t]*\([ \t]*\)/y);
  if (name?.[1] !== undefined) {
    reader.skip(name[0].length);
    reader.skipLines();
    return { type: 'function', name: name[1], body: parseCommand(reader) };
  }
  return parseSimple(reader);
}

function parseCompound(reader: ScriptReader): CompoundBody | undefined {
  if (reader.take('(')) return { type: 'subshell', body: parseUntil(reader, ')') };
  if (reader.takeWord('{')) return { type: 'group', body: parseUntil(reader, '}') };
  if (reader.takeWord('if')) return parseIf(reader);
  if (reader.takeWord('for')) return parseFor(reader);
  if (reader.takeWord('while')) return parseLoop(reader, false);
  if (reader.takeWord('until')) return parseLoop(reader, true);
  if (reader.takeWord('case')) return parseCase(reader);
  return undefined;
}

function parseUntil(reader: ScriptReader, close: string): Command {
  const body = parseList(reader);
  if (close === ')' ? !reader.take(close) : !reader.takeWord(close)) throw reader.unexpected();
  return body;
}

function parseIf(reader: ScriptReader): CompoundBody {
  const branches = [];
  do {
    const condition = parseUntil(reader, 'then');
    branches.push({ condition, body: parseList(reader) });
  } while (reader.takeWord('elif'));
  const otherwise = reader.takeWord('else') ? parseList(reader) : undefined;
  if (!reader.takeWord('fi')) throw reader.unexpected();
  return { type: 'if', branches, otherwise };
}

function parseFor(reader: ScriptReader): CompoundBody {
  reader.skipSpace();
  const name = reader.matchAhead(NAME)?.[0];
  if (name === undefined) throw reader.unexpected();
  reader.skip(name.length);
  reader.skipLines();
  let words: Word[] | undefined;
  if (reader.takeWord('in')) {
    words = [];
    for (let word = readWord(reader); word; word = readWord(reader)) words.push(word);
  }
  reader.skipSeparators();
  if (!reader.takeWord('do')) throw reader.unexpected();
  return { type: 'for', name, words, body: parseUntil(reader, 'done') };
}

function parseLoop(reader: ScriptReader, until: boolean): CompoundBody {
  const condition = parseUntil(reader, 'do');
  return { type: 'loop', until, condition, body: parseUntil(reader, 'done') };
}

function parseCase(reader: ScriptReader): CompoundBody {
  const subject = readWord(reader);
  reader.skipLines();
  if (subject === undefined || !reader.takeWord('in')) throw reader.unexpected();
  const arms: CaseArm[] = [];
  for (;;) {
    reader.skipLines();
    if (reader.takeWord('esac')) return { type: 'case', subject, arms };
    arms.push(parseArm(reader));
  }
}

type CaseArm = Extract<CompoundBody, { type: 'case' }>['arms'][number];

function parseArm(reader: ScriptReader): CaseArm {
  reader.take('(');
  const patterns: Word[] = [];
  do {
    const pattern = readWord(reader);
    if (pattern === undefined) throw reader.unexpected();
    patterns.push(pattern);
  } while (reader.take('|'));
  if (!reader.take(')')) throw reader.unexpected();
  const body = parseList(reader);
  if (!reader.take(';;') && !reader.seesWord(['esac'])) throw reader.unexpected();
  return { patterns, body };
}

function parseSimple(reader: ScriptReader): SimpleCommand {
  const command: SimpleCommand = { type: 'simple', assignments: [], words: [], redirects: [] };
  for (;;) {
    const redirect = parseRedirect(reader);
    if (redirect !== undefined) {
      command.redirects.push(redirect);
      continue;
    }
    const assigned = command.words.length === 0 ? reader.matchAhead(/([A-Za-z_][A-Za-z0-9_]*)=/y) : null;
    if (assigned?.[1] !== undefined) {
      reader.skip(assigned[0].length);
      const value = /\s/.test(reader.peek()) ? [] : (readWord(reader) ?? []);
      command.assignments.push({ name: assigned[1], value });
      continue;
    }
    const word = readWord(reader);
    if (word === undefined) break;
    command.words.push(word);
  }
  if (command.assignments.length + command.words.length + command.redirects.length === 0) {
    throw reader.unexpected();
  }
  return command;
}

function parseRedirects(reader: ScriptReader): Redirect[] {
  const redirects: Redirect[] = [];
  for (let redirect = parseRedirect(reader); redirect; redirect = parseRedirect(reader))
    redirects.push(redirect);
  return redirects;
}

function parseRedirect(reader: ScriptReader): Redirect | undefined {
  reader.skipSpace();
  const match = reader.matchAhead(/(\d?)(>>|>&|<&|<<|>|<)/y);
  if (match === null) return undefined;
  const [text, digit, operator] = match;
  if (operator === '<<') throw new ScriptSyntaxError('here-documents are not simulated');
  reader.skip(text.length);
  const target = readWord(reader);
  if (target === undefined) throw reader.unexpected();
  const descriptor = digit ? Number(digit) : operator?.startsWith('<') ? 0 : 1;
  return { operator: operator as Redirect['operator'], descriptor, target };
}
