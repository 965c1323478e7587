import { KhError } from '../../core/errors';
import { compileCommands, writeCompileCommands } from './compile-commands';

/**
 * What a kdir's Makefile runs for the goal compile_commands.json.
 *
 * @param argv the kdir, the folder of the objects, and the file to write
 * @returns the exit code: 0; 1 where it cannot be written; 2 for wrong arguments
 */
export function main(argv: string[]): number {
  const [kdir, objects, output, ...more] = argv;
  if (kdir === undefined || objects === undefined || output === undefined || more.length > 0) {
    process.stderr.write('usage: compile-commands KDIR OBJECTS FILE\n');
    return 2;
  }
  try {
    writeCompileCommands(output, compileCommands(objects, kdir));
    return 0;
  } catch (error) {
    if (!(error instanceof KhError)) throw error;
    process.stderr.write(`compile-commands: error: ${error.message}\n`);
    return 1;
  }
}

if (require.main === module) process.exitCode = main(process.argv.slice(2));
