import { unknownCommand } from '../../../../src/cli/hooks/command-not-found';

const commands = ['pull', 'devices', 'workspace:list', 'workspace:remove', 'simulate'];
const told = (id: string) => {
  const error = unknownCommand(id, commands, 'kh');
  expect(error.exitCode).toBe(2);
  return `${error.message} | ${error.hint ?? ''}`;
};

describe('words that name no command', () => {
  it('are answered with the nearest command', () => {
    expect(told('pul')).toBe('there is no command `kh pul` | Did you mean `kh pull`?');
  });

  it('may be two words', () => {
    expect(told('workspce:lst')).toContain('Did you mean `kh workspace list`?');
  });

  it('may be meant for a group of commands', () => {
    expect(told('wrkspace')).toContain('Did you mean `kh workspace`?');
    expect(told('wrkspace:frobnicate')).toContain('Did you mean `kh workspace`?');
  });

  it('may have arguments behind them', () => {
    expect(told('simulat:lab.json')).toContain('Did you mean `kh simulate`?');
    expect(told('workspace:remov:0A04')).toContain('Did you mean `kh workspace remove`?');
  });

  it('are answered with the list where nothing is near', () => {
    expect(told('frobnicate')).toContain('`kh --help` lists them.');
  });

  it('are called arguments where a command stands in front that takes none', () => {
    expect(told('pull:0A04')).toContain('`kh pull` takes no argument, but was given: 0A04');
  });

  it('are told from flags that came too early', () => {
    expect(told('--json')).toBe('--json stands before any command | Flags come after the command.');
  });

  it('reach no terminal unescaped', () => {
    expect(told('\u001b[2J')).toContain('`kh \\x1b[2J`');
  });
});
