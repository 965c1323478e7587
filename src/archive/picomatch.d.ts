/** What kh uses of picomatch, which comes without types. */
declare module 'picomatch' {
  interface Options {
    dot?: boolean;
    noextglob?: boolean;
    windows?: boolean;
  }
  /** @throws Error, TypeError for a pattern that is none, or too long */
  export function makeRe(glob: string, options?: Options): RegExp;
}
