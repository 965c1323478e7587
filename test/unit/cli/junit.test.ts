import fc from 'fast-check';
import { junitReport, type ReportCase } from '../../../src/cli/junit';
import { failuresOf, propertiesOf, readJunit } from '../../support/junit';

const report = (cases: ReportCase[], warnings: string[] = []) =>
  junitReport({
    name: 'kh pull',
    started: new Date('2024-02-03T04:05:06.789Z'),
    milliseconds: 1500,
    cases,
    warnings,
  });

describe('a JUnit report', () => {
  it('has a case for each device, with its time and the plain facts of its result', () => {
    const facts = { release: '6.1.0', bytes: 7, transferred: true, verdict: { trust: 'trusted' }, log: [] };
    const suite = readJunit(report([{ name: 'PIXEL', milliseconds: 1234, facts }]));
    expect(suite.attributes).toMatchObject({
      name: 'kh pull',
      timestamp: '2024-02-03T04:05:06',
      time: '1.500',
    });
    expect(suite.children[0]!.attributes).toEqual({ name: 'PIXEL', classname: 'kh.pull', time: '1.234' });
    expect(propertiesOf(suite)).toEqual({ PIXEL: { release: '6.1.0', bytes: '7', transferred: 'true' } });
  });

  it('tells a failure with its code, its message and its hint, and a bug in kh as an error', () => {
    const lost = { code: 'DEVICE_LOST', message: 'lost at <5> & "gone"', hint: 'Try again.' } as const;
    const bug = { code: 'INTERNAL', message: 'oops' } as const;
    const suite = readJunit(
      report([{ name: 'A' }, { name: 'B', error: lost }, { name: 'C', error: bug }], ['one', 'two']),
    );
    expect(suite.attributes).toMatchObject({ tests: '3', failures: '1', errors: '1' });
    expect(failuresOf(suite)).toEqual({
      B: { type: 'DEVICE_LOST', text: 'DEVICE_LOST: lost at <5> & "gone"\nTry again.' },
      C: { type: 'INTERNAL', text: 'INTERNAL: oops' },
    });
    expect(suite.children.at(-1)).toMatchObject({ name: 'system-err', text: 'one\ntwo' });
  });

  it('is well-formed whatever a device says, and keeps all that XML can write', () => {
    const hostile = fc.string({
      unit: fc.oneof(
        fc.string({ unit: 'binary' }),
        fc.constantFrom('\u0000', '\u001b', '\ud800', '\uffff', ']]>', '<', '&', '\r\n'),
      ),
    });
    fc.assert(
      fc.property(hostile, hostile, hostile, (name, message, value) => {
        const error = { code: 'REMOTE_IO', message } as const;
        const suite = readJunit(report([{ name, facts: { value }, error }], [message]));
        const kept = (text: string) =>
          Array.from(text)
            .filter((character) =>
              /^[\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]$/u.test(character),
            )
            .join('');
        expect(suite.children[0]!.attributes['name']).toBe(kept(name));
        expect(propertiesOf(suite)[kept(name)]).toEqual({ value: kept(value) });
        expect(failuresOf(suite)[kept(name)]!.text).toBe(`REMOTE_IO: ${kept(message)}`);
      }),
    );
  });
});
