import type { KhRun } from './kh';

/** `expect(run).toExitWith(4)`: on failure shows what kh said. */
expect.extend({
  toExitWith(run: KhRun, expected: number) {
    const ended = run.signal === null ? `exit code ${run.exitCode}` : `signal ${run.signal}`;
    return {
      pass: run.signal === null && run.exitCode === expected,
      message: () =>
        [
          `expected: exit code ${this.isNot ? 'other than ' : ''}${expected}`,
          `received: ${ended}`,
          `kh ${run.args.join(' ')}`,
          `--- stderr\n${run.stderr}`,
          `--- stdout\n${run.stdout}`,
        ].join('\n'),
    };
  },
});

declare global {
  // eslint-disable-next-line @typescript-eslint/no-namespace -- how jest's types are extended
  namespace jest {
    // eslint-disable-next-line @typescript-eslint/no-unused-vars, @typescript-eslint/no-empty-object-type -- as in the declaration that this one joins
    interface Matchers<R, T = {}> {
      toExitWith(code: number): R;
    }
  }
}
