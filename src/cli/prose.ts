/** A text over several lines as paragraphs: help wraps them to the terminal's width itself. */
export function prose(strings: TemplateStringsArray): string {
  return strings
    .join('')
    .trim()
    .replace(/([^\n])\n(?=[^\n])/g, '$1 ');
}
