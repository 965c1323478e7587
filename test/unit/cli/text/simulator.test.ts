import { simulatorHint } from '../../../../src/cli/text/simulator';

describe('what kh simulate tells whoever started it by hand', () => {
  it('is how many devices there are, and how to reach them', () => {
    const lab = { address: '127.0.0.1:5038', port: 5038 };
    expect(simulatorHint({ ...lab, serials: ['A', 'B'] })).toBe(
      '2 simulated devices on 127.0.0.1:5038; try: kh devices -P 5038. Ctrl-C ends it.\n',
    );
    expect(simulatorHint({ ...lab, serials: ['A'] })).toMatch(/^1 simulated device on /);
  });
});
