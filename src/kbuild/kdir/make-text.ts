/** Words that neither make nor a shell reads anything into, as they are; others in quotes. */
export function makeWord(word: string): string {
  const quoted = /^[\w./:=@%+,-][\w./:=@%+,~-]*$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
  return makeText(quoted);
}

/** Text that make takes literally, in a variable's value. */
export function makeText(text: string): string {
  return text.replaceAll('$', '$$$$').replaceAll('#', '\\#');
}

/** Several words, for a variable that enters command lines. */
export function makeWords(words: readonly string[]): string {
  return words.map(makeWord).join(' ');
}
