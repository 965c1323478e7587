import { randomBytes } from 'node:crypto';

/**
 * A batch of questions to a device's shell, answered in one round trip.
 *
 * Each answer is preceded by a marker line that holds a nonce, so that no
 * output of the device can be taken for the next answer, and by an empty
 * line, as an answer may lack its last line end.
 */
export interface Script {
  commandLine: string;
  /** The text of each answer, by its name; answers that did not come, or not whole, are missing. */
  parse(stdout: Buffer): Map<string, string>;
}

/** @param questions shell commands by the name of the answer; names are words of ours, `[a-z0-9.-]+` */
export function script(questions: Record<string, string>): Script {
  const marker = `@${randomBytes(6).toString('hex')}:`;
  const lines = Object.entries(questions).map(
    ([name, command]) => `echo; echo ${marker}${name}\n${command}\n`,
  );
  return {
    commandLine: `${lines.join('')}echo; echo ${marker}end\n`,
    parse: (stdout) => parseAnswers(stdout.toString('utf8'), marker),
  };
}

function parseAnswers(text: string, marker: string): Map<string, string> {
  const answers = new Map<string, string>();
  const [, ...sections] = `\n${text.replaceAll('\r\n', '\n')}`.split(`\n${marker}`);
  sections.pop(); // the end; or, where the output stops early, an answer that may lack a part
  for (const section of sections) {
    const end = section.indexOf('\n');
    const name = end < 0 ? section : section.slice(0, end);
    answers.set(name, end < 0 ? '' : section.slice(end + 1).trimEnd());
  }
  return answers;
}
