import type { ElfSection } from '../elf/elf-file';
import { isDiscarded, isExit, isInit } from './definitions';
import type { Diagnostic } from './diagnostic';
import type { ModuleObject } from './module-object';
import { describePlace, SymbolFinder, type Place } from './symbol-finder';

const TEXT =
  /^\.(text|sched\.text|kprobes\.text|cpuidle\.text|noinstr\.text|spinlock\.text|fixup|entry\.text|softirqentry\.text|irqentry\.text)(\.|$)/;
const DATA = /^\.(data|bss)(\.|$)/;

/** Variables whose use of __init is known to be over in time, by the names that the kernel's own modpost goes by. */
const TRUSTED = /(_template|_timer|_sht|_ops|_probe|_probe_one|_console|_driver)$|^driver$|^__param/;

/**
 * Code and data that stay and refer to what is freed (`__init`) or may be
 * absent (`__exit`), and these two to each other. Whoever knows better marks
 * the code `__ref` or the data `__refdata`, which moves it out of sight.
 */
export function checkSections(module: ModuleObject): Diagnostic[] {
  const { elf, path } = module;
  if (!elf.sections.some(({ name }) => isDiscarded(name))) return [];
  const finder = new SymbolFinder(elf);
  const found = new Map<string, Diagnostic>();
  for (const section of elf.sections.filter(
    ({ name }) => TEXT.test(name) || DATA.test(name) || isDiscarded(name),
  )) {
    for (const relocation of elf.relocations(section)) {
      const home = relocation.symbol?.section;
      const why = home && mismatch(section, home);
      const to = why && finder.target(relocation);
      if (!why || !to) continue;
      const from = finder.at(section, relocation.offset);
      if (DATA.test(section.name) && TRUSTED.test(from.symbol?.name ?? '')) continue;
      const text = `${described(from)} refers to ${described(to)}, ${why}`;
      found.set(text, { severity: 'warning', kind: 'section-mismatch', file: path, text });
    }
  }
  return [...found.values()];
}

/** What is wrong with a reference between these sections, if anything. */
function mismatch({ name: from }: ElfSection, { name: to }: ElfSection): string | undefined {
  if (isInit(to) && !isDiscarded(from)) {
    return 'which is freed once the module has started: remove the __init, or mark the user __init or __ref';
  }
  if (isExit(to) && !isExit(from)) {
    return "which is for the module's end only, and absent from kernels that never unload: remove the __exit";
  }
  if (isInit(to) && isExit(from)) return 'which is long freed when the module ends: remove the __init';
  return undefined;
}

function described(place: Place): string {
  return `${describePlace(place)} in ${place.section.name}`;
}
