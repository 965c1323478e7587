import { checkSections } from '../../../../src/kbuild/modpost/section-mismatch';
import { compilers, moduleOf } from './support/compile';

describe.each(compilers())('sections, in an object of $name', (compiler) => {
  const told = (source: string) => checkSections(moduleOf(source, { compiler })).map(({ text }) => text);

  it('are told when code that stays calls code that is freed', () => {
    expect(
      told(
        '__attribute__((noinline)) int __init setup(int x) { return x * 3; } int run(int x) { return setup(x) + 1; }',
      ),
    ).toEqual([
      'run() in .text refers to setup() in .init.text, which is freed once the module has started: remove the __init, or mark the user __init or __ref',
    ]);
  });

  it('are told when the called function is static, which relocations name by section only', () => {
    const source = `static __attribute__((noinline)) int __init other(int x) { return x + 7; }
      static __attribute__((noinline)) int __init setup(int x) { return x * other(x); }
      int run(int x) { return setup(x) + 1; } int (*keep)(int) __initdata = other;`;
    expect(told(source)).toEqual([
      expect.stringMatching(/^run\(\) in \.text refers to setup\(\) in \.init\.text, /),
    ]);
  });

  it('are told when a variable holds the address of what is freed, unless its name is one that is trusted', () => {
    const setup = 'int __init setup(int x) { return x; }';
    expect(told(`${setup} int (*hook)(int) = setup;`)).toEqual([
      expect.stringMatching(/^hook in \.data refers to setup\(\) in \.init\.text, /),
    ]);
    expect(told(`${setup} int (*my_driver)(int) = setup;`)).toEqual([]);
  });

  it('are told when the start uses what only the end has, and the reverse', () => {
    const exit = '__attribute__((noinline)) int __exit done(int x) { return x * 5; }';
    expect(told(`${exit} int __init start(int x) { return done(x) + 1; }`)).toEqual([
      expect.stringMatching(
        /^start\(\) in \.init\.text refers to done\(\) in \.exit\.text, which is for the module's end only/,
      ),
    ]);
    expect(told(`int table __initdata = 5; int __exit done(int x) { return table; }`)).toEqual([
      expect.stringMatching(/^done\(\) in \.exit\.text refers to table in \.init\.data, which is long freed/),
    ]);
  });

  it('are fine when the user is freed too, or marked as knowing better', () => {
    const setup = '__attribute__((noinline)) int __init setup(int x) { return x * 3; }';
    expect(told(`${setup} int __init start(int x) { return setup(x) + 1; }`)).toEqual([]);
    expect(told(`${setup} int __ref start(int x) { return setup(x) + 1; }`)).toEqual([]);
  });
});
