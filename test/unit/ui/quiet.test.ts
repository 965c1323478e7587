import { palette } from '../../../src/ui/colour';
import { quietReporter } from '../../../src/ui/quiet';
import { pullEvents } from './pull-events';

function heardBy(options: { errorsOnly: boolean }): string[] {
  const heard: string[] = [];
  const { emit } = quietReporter((text) => heard.push(text), palette(false), options);
  pullEvents('A').forEach(emit);
  emit({ type: 'warning', message: 'old adb' });
  emit({
    type: 'device.failed',
    serial: 'B',
    error: { code: 'DEVICE_LOST', exitCode: 4, message: 'B: lost' },
  });
  return heard;
}

describe('the quiet reporter', () => {
  it('says what failed and nothing else under --quiet', () => {
    expect(heardBy({ errorsOnly: true })).toEqual(['error: B: lost\n']);
  });

  it('warns as well where a command only looks', () => {
    expect(heardBy({ errorsOnly: false })).toEqual(['warning: old adb\n', 'error: B: lost\n']);
  });
});
