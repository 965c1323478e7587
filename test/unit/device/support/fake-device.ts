import type { AdbDevice, CommandOutput, RootReply } from '../../../../src/adb/adb-device';
import { KhError } from '../../../../src/core/errors';
import type { KhEvent } from '../../../../src/core/events';
import { TIME_LIMITS } from '../../../../src/core/limits';
import type { Work } from '../../../../src/core/work';

/** Answers of a device's shell, by what the command line contains; the first match wins. */
export type Answers = [pattern: RegExp, answer: string | ((commandLine: string) => string)][];

export interface FakeDevice extends AdbDevice {
  commandLines: string[];
}

/** A device that answers scripts question by question, without a server. */
export function fakeDevice({
  answers = [],
  root = 'refused',
  files = {},
}: {
  answers?: Answers;
  root?: RootReply;
  files?: Record<string, Buffer>;
} = {}): FakeDevice {
  const commandLines: string[] = [];
  return {
    serial: 'FAKE',
    transportId: '1',
    features: new Set(['shell_v2']),
    commandLines,
    run: (commandLine) => {
      commandLines.push(commandLine);
      return Promise.resolve(output(answer(commandLine, answers)));
    },
    stream: async function* (commandLine) {
      commandLines.push(commandLine);
      yield await Promise.resolve(Buffer.from(answer(commandLine, answers)));
    },
    stat: () => Promise.reject(new KhError('REMOTE_NOT_FOUND', { message: 'no file' })),
    receive: async function* (path) {
      const content = files[path];
      if (content === undefined) throw new KhError('REMOTE_NOT_FOUND', { message: path });
      yield await Promise.resolve(content);
    },
    send: () => Promise.resolve(),
    restartAsRoot: () => Promise.resolve(root),
    untilDisconnected: () => new Promise(() => undefined),
  };
}

function answer(commandLine: string, answers: Answers): string {
  const line = commandLine.replace(/^su (?:0 sh -c|-c) '(.*)'$/s, (_, inner: string) =>
    inner.replaceAll(`'\\''`, "'"),
  );
  const markers = [...line.matchAll(/^echo; echo (@[0-9a-f]+:)(\S+)$/gm)];
  if (markers.length === 0) return match(commandLine, answers);
  return markers
    .map((marker, index) => {
      const end = markers[index + 1]?.index ?? line.length;
      const question = line.slice(marker.index + marker[0].length, end).trim();
      return `\n${marker[1]}${marker[2]}\n${question === '' ? '' : match(question, answers)}`;
    })
    .join('');
}

function match(question: string, answers: Answers): string {
  const found = answers.find(([pattern]) => pattern.test(question));
  const text = found === undefined ? '' : typeof found[1] === 'string' ? found[1] : found[1](question);
  return text === '' || text.endsWith('\n') ? text : `${text}\n`;
}

function output(text: string): CommandOutput {
  return { exitCode: 0, stdout: Buffer.from(text), stderr: Buffer.alloc(0), merged: false };
}

/** Work that records its events. */
export function recordedWork(): Work & { events: KhEvent[] } {
  const events: KhEvent[] = [];
  return {
    events,
    signal: new AbortController().signal,
    emit: (event) => events.push(event),
    times: TIME_LIMITS,
  };
}
