/** The script is not in the language that the simulated shell reads; the message is what its sh would say. */
export class ScriptSyntaxError extends Error {
  constructor(reason: string) {
    super(`syntax error: ${reason}`);
    this.name = 'ScriptSyntaxError';
  }
}

/** A place in the text of a script. */
export class ScriptReader {
  depth = 0;
  #at = 0;

  constructor(private readonly text: string) {}

  get atEnd(): boolean {
    return this.#at >= this.text.length;
  }

  /** The next character; empty at the end. */
  peek(): string {
    return this.text[this.#at] ?? '';
  }

  /** @throws ScriptSyntaxError at the end */
  next(): string {
    const character = this.text[this.#at];
    if (character === undefined) throw new ScriptSyntaxError('unexpected end of script');
    this.#at += 1;
    return character;
  }

  skip(characters: number): void {
    this.#at += characters;
  }

  /** @param pattern sticky */
  matchAhead(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#at;
    return pattern.exec(this.text);
  }

  /** Blanks, continued lines and comments, up to what means something. */
  skipSpace(): void {
    this.#at += this.matchAhead(/(?:[ \t\r]|\\\n)*(?:#[^\n]*)?/y)?.[0].length ?? 0;
  }

  skipLines(): void {
    this.#skipAll(/\n+/y);
  }

  /** Spaces, line ends and single semicolons. */
  skipSeparators(): void {
    this.#skipAll(/(?:\n|;(?!;))+/y);
  }

  #skipAll(pattern: RegExp): void {
    this.skipSpace();
    for (let match = this.matchAhead(pattern); match; match = this.matchAhead(pattern)) {
      this.#at += match[0].length;
      this.skipSpace();
    }
  }

  sees(text: string): boolean {
    this.skipSpace();
    return this.text.startsWith(text, this.#at);
  }

  take(text: string): boolean {
    if (!this.sees(text)) return false;
    this.#at += text.length;
    return true;
  }

  /** Whether one of these words comes next, whole. */
  seesWord(words: readonly string[]): boolean {
    this.skipSpace();
    const word = this.matchAhead(/[^\s;&|<>()]+/y)?.[0];
    return word !== undefined && words.includes(word);
  }

  takeWord(word: string): boolean {
    if (!this.seesWord([word])) return false;
    this.#at += word.length;
    return true;
  }

  unexpected(): ScriptSyntaxError {
    const what = this.matchAhead(/[^\s]{1,20}|\n/y)?.[0];
    return new ScriptSyntaxError(
      what === undefined ? 'unexpected end of script' : `unexpected '${what.trim()}'`,
    );
  }
}
