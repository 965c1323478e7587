import { setTimeout as sleep } from 'node:timers/promises';
import { SystemCallError } from '../../errno';
import { digestOf } from '../../simulated-device';
import { complain, parseOptions, print, type Applet, type Invocation } from './invocation';

/** `md5sum`, `sha1sum`, `sha256sum`, `sha512sum` */
export const checksum: Applet = async (invocation) => {
  const { shell, stdin } = invocation;
  const { rest } = parseOptions(invocation.args);
  let status = 0;
  for (const file of rest.length === 0 ? ['-'] : rest) {
    try {
      const content =
        file === '-'
          ? await stdin.readAll(shell.signal)
          : shell.device.files.read(shell.path(file), shell.uid);
      await print(invocation, `${await digestWithFault(invocation, file, content)}  ${file}\n`);
    } catch (error) {
      if (!(error instanceof SystemCallError)) throw error;
      await complain(invocation, `${file}: ${error.message}`);
      status = 1;
    }
  }
  return status;
};

async function digestWithFault({ name, shell }: Invocation, file: string, content: Buffer): Promise<string> {
  const { device, signal } = shell;
  device.counters.md5Computed += name === 'md5sum' ? 1 : 0;
  const digest = digestOf(content, name.replace(/sum$/, ''));
  const fault = device.faults.strike('md5', ['wrong-md5', 'fail', 'refuse', 'hang'], file);
  if (fault === undefined) return digest;
  if (fault.kind === 'hang') await sleep(2 ** 31 - 1, undefined, { signal });
  if (fault.kind !== 'wrong-md5') throw new SystemCallError(fault.kind === 'fail' ? 'EIO' : 'EACCES');
  return digest.replace(/^./, (digit) => (digit === '0' ? '1' : '0'));
}

/** `dd if= of= bs= count= skip=`: one read(2) a block, so a sysfs file gives 4096 bytes at most for each. */
export const dd: Applet = async (invocation) => {
  const { shell, stdin, stdout, stderr } = invocation;
  const operands = new Map(invocation.args.map((arg) => arg.split('=', 2) as [string, string]));
  const block = sizeOf(operands.get('bs') ?? '512');
  const count = operands.has('count') ? sizeOf(operands.get('count') ?? '') : Infinity;
  const from = operands.get('if');
  const to = operands.get('of');
  let offset = sizeOf(operands.get('skip') ?? '0') * block;
  const piped = from === undefined ? await stdin.readAll(shell.signal) : undefined;
  const file = from === undefined ? undefined : shell.device.files.open(shell.path(from), shell.uid);
  const chunks: Buffer[] = [];
  let bytes = 0;
  for (let blocks = 0; blocks < count; blocks += 1) {
    const chunk = (file?.read(offset) ?? piped?.subarray(offset))?.subarray(0, block);
    if (chunk === undefined || chunk.length === 0) break;
    if (to === undefined) await stdout.write(chunk);
    else chunks.push(chunk);
    offset += chunk.length;
    bytes += chunk.length;
  }
  if (to !== undefined && to !== '/dev/null') {
    shell.device.files.write(shell.path(to), Buffer.concat(chunks), shell.uid);
  }
  await stderr.write(Buffer.from(`${bytes} bytes copied\n`));
  return 0;
};

function sizeOf(text: string): number {
  const [, digits, unit = ''] = /^(\d+)([kKmM]?)$/.exec(text) ?? [];
  if (digits === undefined) throw new SystemCallError('EINVAL');
  return Number(digits) * ({ '': 1, k: 1024, m: 1024 * 1024 }[unit.toLowerCase()] ?? 1);
}
