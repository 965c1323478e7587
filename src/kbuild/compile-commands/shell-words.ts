/**
 * The words of a command line as a POSIX shell would hand them on. Recorded
 * commands hold words and quotes only: nothing is expanded, and what separates
 * commands is a word like others.
 */
export function shellWords(line: string): string[] {
  const words: string[] = [];
  let word: string | undefined;
  const parts = /'([^']*)'|"((?:[^"\\]|\\[^])*)"|\\([^])|(\s+)|([^\s'"\\]+|['"\\])/g;
  for (const [, single, double, escaped, space, plain] of line.matchAll(parts)) {
    if (space !== undefined) {
      if (word !== undefined) words.push(word);
      word = undefined;
      continue;
    }
    const inDouble = double?.replace(/\\(["$`\\])/g, '$1').replace(/\\\n/g, '');
    word = (word ?? '') + (single ?? inDouble ?? escaped ?? plain ?? '');
  }
  if (word !== undefined) words.push(word);
  return words;
}
