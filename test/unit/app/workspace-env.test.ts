import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { exportLines } from '../../../src/app/workspace-env';

describe('exportLines', () => {
  it('gives a shell each value as it is, and nothing to run', () => {
    const hostile = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 40 }).map((text) => text.replaceAll('\0', '')),
      fc.constantFrom('$(exit 9)', '`exit 9`', `'; exit 9; '`, '\n exit 9\n', '"; exit 9 #', '\\', '../..'),
    );
    fc.assert(
      fc.property(fc.array(hostile, { minLength: 1, maxLength: 8 }), (values) => {
        const variables = Object.fromEntries(values.map((value, n) => [`KH_${n}`, value]));
        const script = `${exportLines(variables)}env -0`;
        const env = execFileSync('/bin/sh', ['-c', script], { env: { PATH: process.env['PATH'] } });
        for (const [name, value] of Object.entries(variables)) {
          expect(env.toString('utf8').split('\0')).toContain(
            `${name}=${Buffer.from(value).toString('utf8')}`,
          );
        }
      }),
      { numRuns: 30 },
    );
  });
});
