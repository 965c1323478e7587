import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from '@oclif/core/command';
import { KhCommand } from '../../../src/cli/kh-command';

const folder = join(__dirname, '..', '..', '..', 'src', 'commands');
const names = readdirSync(folder, { recursive: true })
  .map(String)
  .filter((name) => name.endsWith('.ts'))
  .map((name) => name.slice(0, -'.ts'.length));

function load(name: string): typeof Command {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- the names are known only now
  return (require(join(folder, name)) as { default: typeof Command }).default;
}

it('there are commands', () => {
  expect(names).toContain('pull');
});

describe.each(names)('kh %s', (name) => {
  const command = load(name);

  it('has what every command has: signals, exit codes, --json, --quiet and --verbose', () => {
    expect(command.prototype).toBeInstanceOf(KhCommand);
    expect(command.enableJsonFlag).toBe(true);
    expect(Object.keys(command.baseFlags)).toEqual(['quiet', 'verbose']);
  });

  it('says in one sentence what it does, and shows how it is used', () => {
    expect(command.summary).toMatch(/^[A-Z].*\.$/);
    expect(command.description).toMatch(/^[A-Z][^]*\.$/);
    expect(command.examples.length).toBeGreaterThan(0);
  });

  it('explains each of its flags and arguments', () => {
    for (const flag of Object.values(command.flags)) expect(flag.summary).toMatch(/\.$/);
    for (const arg of Object.values(command.args)) expect(arg.description).toMatch(/\.$/);
  });
});
