import type { ErrorReport } from '../core/errors';
import { deviceName } from '../core/device-name';
import { printable } from '../core/printable';
import type { Palette } from './colour';

/** An error for the person who meets it: what happened, and below it what to do next. */
export function failureText({ message, hint }: ErrorReport, { red }: Palette): string {
  const lines = [`${red('error:')} ${message}`, ...(hint === undefined ? [] : [`  ${hint}`])];
  return `${lines.join('\n')}\n`;
}

/** A warning on a line of its own. */
export function warningText(message: string, { yellow }: Palette): string {
  return `${yellow('warning:')} ${message}\n`;
}

/** A warning, with the device or the server that it is about in front. */
export function warningMessage(warning: { serial?: string; server?: string; message: string }): string {
  const { serial, server, message } = warning;
  const who = serial === undefined ? server : deviceName({ serial, server });
  return printable(who === undefined ? message : `${who}: ${message}`);
}
