import { KhError } from '../core/errors';

/** What toybox's insmod hands on: what is beyond is dropped without a word. */
const MOST_BYTES = 4000;

/**
 * Parameters as the kernel reads them: `name=value`, or `name` alone for a
 * switch. A value with spaces gets the kernel's own quotes, in which nothing
 * can be escaped.
 *
 * @throws KhError USAGE for what the kernel cannot be told
 * @see linux kernel/params.c, lib/cmdline.c (next_arg)
 */
export function kernelParameters(parameters: string[]): string[] {
  const words = parameters.map(kernelParameter);
  if (Buffer.byteLength(words.join(' ')) > MOST_BYTES) {
    throw new KhError('USAGE', {
      message: `parameters of more than ${MOST_BYTES} bytes reach no kernel whole`,
    });
  }
  return words;
}

function kernelParameter(parameter: string): string {
  const [, name, equals = '', value = ''] = /^([^=]*)(=?)(.*)$/s.exec(parameter) ?? [];
  if (name === undefined || !/^[A-Za-z0-9_][A-Za-z0-9_.-]*$/.test(name)) {
    throw new KhError('USAGE', {
      message: `${JSON.stringify(parameter)} is no module parameter`,
      hint: 'Parameters are NAME=VALUE, as `modinfo -p` lists them.',
    });
  }
  if (/["\u0000-\u001f\u007f]/.test(value)) {
    throw new KhError('USAGE', {
      message: `the value of ${name} holds a quote or a control character, which no module parameter can`,
    });
  }
  return `${name}${equals}${/\s/.test(value) ? `"${value}"` : value}`;
}
