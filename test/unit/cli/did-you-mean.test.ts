import { didYouMean } from '../../../src/cli/did-you-mean';

const commands = ['pull', 'devices', 'workspace list', 'workspace path', 'manifest add'];

describe('did you mean', () => {
  it.each([
    ['pul', 'pull'],
    ['device', 'devices'],
    ['workspce lst', 'workspace list'],
    ['manifest ad', 'manifest add'],
  ])('takes %j for %j', (word, meant) => {
    expect(didYouMean(word, commands)).toBe(meant);
  });

  it('prefers the nearest of several', () => {
    expect(didYouMean('workspace pth', commands)).toBe('workspace path');
  });

  it('suggests nothing that is merely short', () => {
    expect(didYouMean('build', commands)).toBeUndefined();
    expect(didYouMean('x', ['pull', 'env'])).toBeUndefined();
  });
});
