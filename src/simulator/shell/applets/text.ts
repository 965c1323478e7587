import { SystemCallError } from '../../errno';
import { interpretEscapes } from '../escapes';
import { complain, parseOptions, print, type Applet, type Invocation } from './invocation';

interface Source {
  name: string;
  content: Buffer;
}

/** The files that are named, or stdin; those that can't be read are told, and counted. */
async function readSources(
  invocation: Invocation,
  names: readonly string[],
): Promise<{ sources: Source[]; failed: boolean }> {
  const { shell, stdin } = invocation;
  const sources: Source[] = [];
  let failed = false;
  for (const name of names.length === 0 ? ['-'] : names) {
    try {
      const content =
        name === '-'
          ? await stdin.readAll(shell.signal)
          : shell.device.files.read(shell.path(name), shell.uid);
      sources.push({ name, content });
    } catch (error) {
      if (!(error instanceof SystemCallError)) throw error;
      await complain(invocation, `${name}: ${error.message}`);
      failed = true;
    }
  }
  return { sources, failed };
}

function linesOf(content: Buffer): string[] {
  const lines = content.toString('utf8').split('\n');
  if (lines.at(-1) === '') lines.pop();
  return lines;
}

/** `head`, `tail`: `-n N`, `-c N`, `-N`. */
export const headOrTail: Applet = async (invocation) => {
  const args = invocation.args.map((arg) => arg.replace(/^-(\d+)$/, '-n$1'));
  const { values, rest } = parseOptions(args, 'nc');
  const { sources, failed } = await readSources(invocation, rest);
  const bytes = values.get('c')?.[0];
  const lines = Number(values.get('n')?.[0] ?? 10);
  for (const { content } of sources) {
    if (bytes !== undefined) {
      await invocation.stdout.write(cut(invocation.name, content, Number(bytes)));
      continue;
    }
    const all = linesOf(content);
    const kept =
      invocation.name === 'head' ? all.slice(0, lines) : all.slice(Math.max(0, all.length - lines));
    await print(invocation, kept.map((line) => `${line}\n`).join(''));
  }
  return failed ? 1 : 0;
};

function cut(name: string, content: Buffer, bytes: number): Buffer {
  return name === 'head' ? content.subarray(0, bytes) : content.subarray(Math.max(0, content.length - bytes));
}

export const grep: Applet = async (invocation) => {
  const { flags, values, rest } = parseOptions(invocation.args, 'em');
  const patterns = values.get('e') ?? [rest.shift() ?? ''];
  const matcher = grepMatcher(patterns, flags);
  const { sources, failed } = await readSources(invocation, rest);
  let found = false;
  for (const { name, content } of sources) {
    const lines = linesOf(content).filter((line) => matcher(line) !== flags.has('v'));
    found ||= lines.length > 0;
    if (flags.has('q')) continue;
    if (flags.has('l')) await print(invocation, lines.length > 0 ? `${name}\n` : '');
    else if (flags.has('c')) await print(invocation, `${lines.length}\n`);
    else {
      const prefix = sources.length > 1 && !flags.has('h') ? `${name}:` : '';
      await print(invocation, lines.map((line) => `${prefix}${line}\n`).join(''));
    }
  }
  if (failed) return found && flags.has('q') ? 0 : 2;
  return found ? 0 : 1;
};

function grepMatcher(patterns: readonly string[], flags: Set<string>): (line: string) => boolean {
  const sources = patterns
    .flatMap((pattern) => pattern.split('\n'))
    .map((pattern) => grepSource(pattern, flags));
  const shaped = sources.map((source) => {
    if (flags.has('x')) return `^(?:${source})$`;
    return flags.has('w') ? `\\b(?:${source})\\b` : source;
  });
  const expressions = shaped.map((source) => new RegExp(source, flags.has('i') ? 'i' : ''));
  return (line) => expressions.some((expression) => expression.test(line));
}

/** A pattern of grep as JavaScript writes it: -F literal, -E extended, otherwise basic. */
function grepSource(pattern: string, flags: Set<string>): string {
  if (flags.has('F')) return pattern.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
  if (flags.has('E')) return pattern.replaceAll('[[:space:]]', '\\s');
  return pattern.replace(/\[[^\]]*\]|\\?[+?(){}|]/g, (text) => {
    if (text.startsWith('[')) return text.replaceAll('[:space:]', '\\s');
    return text.startsWith('\\') ? text.slice(1) : `\\${text}`;
  });
}

/** `sed [-n] [-e] 's/…/…/[g][p]'`, and `N p` or `Nq` for lines by number. */
export const sed: Applet = async (invocation) => {
  const { flags, values, rest } = parseOptions(invocation.args, 'e');
  const expressions = values.get('e') ?? [rest.shift() ?? ''];
  const edits = expressions.map((text) => parseEdit(text, flags));
  if (edits.includes(undefined)) {
    await complain(invocation, `bad pattern '${expressions.join(' ')}'`);
    return 1;
  }
  const { sources, failed } = await readSources(invocation, rest);
  for (const { content } of sources) {
    for (const [index, line] of linesOf(content).entries()) {
      let text = line;
      let printed = flags.has('n') ? 0 : 1;
      for (const edit of edits) {
        const result = edit?.(text, index + 1);
        text = result?.text ?? text;
        printed += result?.print ? 1 : 0;
      }
      await print(invocation, `${text}\n`.repeat(printed));
    }
  }
  return failed ? 1 : 0;
};

type Edit = (line: string, number: number) => { text: string; print: boolean };

function parseEdit(text: string, flags: Set<string>): Edit | undefined {
  const numbered = /^(\d+)p$/.exec(text);
  if (numbered !== null) return (line, number) => ({ text: line, print: number === Number(numbered[1]) });
  const parts = /^s([^\w\s\\])((?:\\.|(?!\1).)*)\1((?:\\.|(?!\1).)*)\1([gp]*)$/s.exec(text);
  if (parts === null) return undefined;
  const [, separator = '', from = '', to = '', options = ''] = parts;
  const source = grepSource(
    from.replaceAll(`\\${separator}`, separator),
    flags.has('r') ? new Set('E') : flags,
  );
  const expression = new RegExp(source, options.includes('g') ? 'g' : '');
  const replacement = to
    .replace(/\$/g, '$$$$')
    .replace(/\\(\d)/g, '$$$1')
    .replace(/(^|[^\\])&/g, '$1$$&');
  return (line) => {
    const changed = expression.test(line);
    expression.lastIndex = 0;
    return { text: line.replace(expression, replacement), print: changed && options.includes('p') };
  };
}

/** `cut -d X -f LIST`, `cut -c LIST`. */
export const cutColumns: Applet = async (invocation) => {
  const { values, rest } = parseOptions(invocation.args, 'dfcb');
  const delimiter = values.get('d')?.[0] ?? '\t';
  const fields = values.get('f')?.[0];
  const list = fields ?? values.get('c')?.[0] ?? values.get('b')?.[0] ?? '';
  const { sources, failed } = await readSources(invocation, rest);
  for (const line of sources.flatMap(({ content }) => linesOf(content))) {
    const pieces = fields === undefined ? Array.from(line) : line.split(delimiter);
    const kept = pieces.filter((_, index) => inRanges(index + 1, list));
    const whole = fields !== undefined && pieces.length === 1;
    await print(invocation, `${whole ? line : kept.join(fields === undefined ? '' : delimiter)}\n`);
  }
  return failed ? 1 : 0;
};

function inRanges(number: number, list: string): boolean {
  return list.split(',').some((range) => {
    const [, from, dash, to] = /^(\d*)(-?)(\d*)$/.exec(range) ?? [];
    const first = Number(from || 1);
    return number >= first && number <= (dash ? Number(to || Infinity) : first);
  });
}

/** `tr [-d] [-s] SET [SET]`, with ranges and escapes. */
export const translate: Applet = async (invocation) => {
  const { shell, stdin } = invocation;
  const { flags, rest } = parseOptions(invocation.args);
  const from = characterSet(rest[0] ?? '');
  const to = characterSet(rest[1] ?? '');
  const text = (await stdin.readAll(shell.signal)).toString('latin1');
  const result = Array.from(text, (character) => {
    const index = from.indexOf(character);
    if (index < 0) return character;
    return flags.has('d') ? '' : (to[Math.min(index, to.length - 1)] ?? character);
  });
  const squeezed = flags.has('s')
    ? result.filter((one, index) => one !== result[index - 1] || !from.includes(one))
    : result;
  await invocation.stdout.write(Buffer.from(squeezed.join(''), 'latin1'));
  return 0;
};

function characterSet(text: string): string[] {
  const expanded = interpretEscapes(text).replace(/(.)-(.)/gs, (_, first: string, last: string) => {
    const start = first.charCodeAt(0);
    const length = Math.max(0, last.charCodeAt(0) - start + 1);
    return Array.from({ length }, (_, index) => String.fromCharCode(start + index)).join('');
  });
  return Array.from(expanded);
}

export const wc: Applet = async (invocation) => {
  const { flags, rest } = parseOptions(invocation.args);
  const { sources, failed } = await readSources(invocation, rest);
  const all = flags.size === 0;
  for (const { name, content } of sources) {
    const text = content.toString('latin1');
    const counts = [
      ...(all || flags.has('l') ? [text.split('\n').length - 1] : []),
      ...(all || flags.has('w') ? [text.split(/\s+/).filter(Boolean).length] : []),
      ...(all || flags.has('c') ? [content.length] : []),
    ];
    await print(invocation, `${counts.join(' ')}${name === '-' ? '' : ` ${name}`}\n`);
  }
  return failed ? 1 : 0;
};

/** `sort [-r] [-n] [-u]`, `uniq`. */
export const sortLines: Applet = async (invocation) => {
  const { flags, rest } = parseOptions(invocation.args);
  const { sources, failed } = await readSources(invocation, rest);
  let lines = sources.flatMap(({ content }) => linesOf(content));
  if (invocation.name === 'sort') {
    lines.sort(
      flags.has('n') ? (one, other) => Number.parseFloat(one) - Number.parseFloat(other) : undefined,
    );
    if (flags.has('r')) lines.reverse();
  }
  if (invocation.name === 'uniq' || flags.has('u'))
    lines = lines.filter((line, index) => line !== lines[index - 1]);
  await print(invocation, lines.map((line) => `${line}\n`).join(''));
  return failed ? 1 : 0;
};

/** `printf FORMAT [WORD…]`: the format is used again until the words are used up. */
export const printf: Applet = async (invocation) => {
  const [format = '', ...words] = invocation.args;
  const usesWords = /%[-0\d.]*[sdiuxXocb]/.test(format);
  do {
    const text = format.replace(
      /%(-?)(0?)(\d*)(?:\.\d+)?([sdiuxXocb%])/g,
      (_, left: string, zero: string, width: string, kind: string) => {
        if (kind === '%') return '%';
        const formatted = formatWord(kind, words.shift() ?? '');
        const size = Number(width || 0);
        return left ? formatted.padEnd(size) : formatted.padStart(size, zero && kind !== 's' ? '0' : ' ');
      },
    );
    await print(invocation, interpretEscapes(text));
  } while (usesWords && words.length > 0);
  return 0;
};

function formatWord(kind: string, word: string): string {
  if (kind === 's') return word.replaceAll('\\', '\\\\');
  if (kind === 'b') return word;
  if (kind === 'c') return word.slice(0, 1);
  const number = Math.trunc(Number(word)) || 0;
  if (kind === 'x') return number.toString(16);
  if (kind === 'X') return number.toString(16).toUpperCase();
  return kind === 'o' ? number.toString(8) : String(number);
}
