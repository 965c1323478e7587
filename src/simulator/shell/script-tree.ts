/** A piece of a word. `quoted`: neither split into fields nor read as a pattern. */
export type WordPart =
  | { type: 'text'; text: string; quoted: boolean }
  | { type: 'variable'; name: string; operation: Operation | undefined; quoted: boolean }
  | { type: 'substitution'; script: Command; quoted: boolean }
  | { type: 'arithmetic'; expression: Word; quoted: boolean };

export type Word = WordPart[];

/** `${name<operator>argument}`; `length` is `${#name}`. */
export interface Operation {
  operator: '-' | ':-' | '=' | ':=' | '+' | ':+' | '?' | ':?' | '#' | '##' | '%' | '%%' | 'length';
  argument: Word;
}

export interface Redirect {
  operator: '<' | '>' | '>>' | '>&' | '<&';
  descriptor: number;
  target: Word;
}

export interface SimpleCommand {
  type: 'simple';
  assignments: { name: string; value: Word }[];
  words: Word[];
  redirects: Redirect[];
}

export type CompoundBody =
  | { type: 'group'; body: Command }
  | { type: 'subshell'; body: Command }
  | { type: 'if'; branches: { condition: Command; body: Command }[]; otherwise: Command | undefined }
  | { type: 'for'; name: string; words: Word[] | undefined; body: Command }
  | { type: 'loop'; until: boolean; condition: Command; body: Command }
  | { type: 'case'; subject: Word; arms: { patterns: Word[]; body: Command }[] };

export type Command =
  | SimpleCommand
  | { type: 'compound'; command: CompoundBody; redirects: Redirect[] }
  | { type: 'function'; name: string; body: Command }
  | { type: 'pipeline'; commands: Command[]; negated: boolean }
  | { type: 'and-or'; first: Command; rest: { operator: '&&' | '||'; command: Command }[] }
  | { type: 'list'; commands: Command[] };
