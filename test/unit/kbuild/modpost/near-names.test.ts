import { nearNames } from '../../../../src/kbuild/modpost/near-names';

describe('nearNames', () => {
  const names = ['_printk', 'vprintk', 'kfree', 'kvfree', '__kfree', 'usb_register_driver'];

  it('gives the best first, leading underscores aside', () => {
    expect(nearNames('prinkt', names)).toEqual(['_printk']);
    expect(nearNames('kfre', names)).toEqual(['__kfree', 'kfree']);
    expect(nearNames('usb_regster_drivers', names)).toEqual(['usb_register_driver']);
  });

  it('gives nothing that is far off, and three at most', () => {
    expect(nearNames('completely_else', names)).toEqual([]);
    expect(nearNames('name', ['names', 'game', 'fame', 'lame'])).toHaveLength(3);
  });
});
