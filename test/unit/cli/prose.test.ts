import { prose } from '../../../src/cli/prose';

describe('prose', () => {
  it('joins the lines of a paragraph and keeps paragraphs apart', () => {
    expect(prose`
One line
and the next.

Another paragraph.`).toBe('One line and the next.\n\nAnother paragraph.');
  });
});
