import { palette, wantsColour } from '../../../src/ui/colour';

describe('colour', () => {
  it.each([
    [{ isTTY: true }, {}, true],
    [{ isTTY: false }, {}, false],
    [{}, {}, false],
    [{ isTTY: true }, { NO_COLOR: '1' }, false],
    [{ isTTY: true }, { NO_COLOR: '' }, true],
    [{ isTTY: true }, { TERM: 'dumb' }, false],
    [{ isTTY: false }, { FORCE_COLOR: '1' }, true],
    [{ isTTY: true }, { FORCE_COLOR: '0' }, false],
    [{ isTTY: true }, { FORCE_COLOR: '1', NO_COLOR: '1' }, true],
  ])('on a stream %j with %j in the environment is wanted: %j', (stream, env, wanted) => {
    expect(wantsColour(stream, env)).toBe(wanted);
  });

  it('adds no byte where it is off', () => {
    const { bold, dim, red, green, yellow } = palette(false);
    expect([bold, dim, red, green, yellow].map((paint) => paint('x')).join('')).toBe('xxxxx');
  });
});
