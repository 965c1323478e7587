import { SHF } from '../elf/constants';
import type { Diagnostic } from './diagnostic';
import type { ModuleObject } from './module-object';
import { describePlace, SymbolFinder } from './symbol-finder';

const TABLE = '__ex_table';

/**
 * Entries of the exception table that lead to what is no code: the kernel
 * jumps there when an access faults, and would fault again.
 *
 * @see scripts/mod/modpost.c of the kernel, extable_mismatch_handler
 */
export function checkExceptionTable({ elf, path }: ModuleObject): Diagnostic[] {
  const finder = new SymbolFinder(elf);
  const tables = elf.sections.filter(({ name }) => name === TABLE);
  const wrong = tables.flatMap((table) =>
    elf.relocations(table).flatMap((relocation) => {
      const target = finder.target(relocation);
      const isCode = target === undefined || (target.section.flags & SHF.EXECINSTR) !== 0;
      return isCode ? [] : [`${describePlace(target)} in ${target.section.name}`];
    }),
  );
  return [...new Set(wrong)].map((place) => ({
    severity: 'error',
    kind: 'exception-table',
    file: path,
    text: `an entry of ${TABLE} leads to ${place}, which is no code: the kernel would jump there when an access faults. Put the fixup into .text or .fixup`,
  }));
}
