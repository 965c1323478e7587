import { canRedraw } from '../../../src/ui/open-reporter';

const terminal = { isTTY: true, columns: 80 };

describe('live lines', () => {
  it('are for terminals', () => {
    expect(canRedraw(terminal, { TERM: 'xterm' })).toBe(true);
  });

  it.each([
    ['a file or a pipe', {}, { TERM: 'xterm' }],
    ['a dumb terminal', terminal, { TERM: 'dumb' }],
    ['a build server, whose log keeps every frame', terminal, { CI: 'true' }],
    ['a terminal that does not say how wide it is', { isTTY: true, columns: 0 }, {}],
  ])('are not for %s', (_where, stream, env) => {
    expect(canRedraw(stream, env)).toBe(false);
  });

  it('are not kept from those who set CI=false', () => {
    expect(canRedraw(terminal, { CI: 'false' })).toBe(true);
  });
});
