'use strict';
// Writes docs/commands.md from the commands themselves; with --check, fails
// where the page says something else.
Object.assign(process.env, { NO_COLOR: '1', OCLIF_COLUMNS: '80' }); // oclif reads both as it loads
const fs = require('node:fs');
const path = require('node:path');
const { Config } = require('@oclif/core/config');
const { CommandHelp } = require('@oclif/core/help');

const root = path.join(__dirname, '..');
const page = path.join(root, 'docs', 'commands.md');

const HEAD = `# Commands

Made from the commands themselves by \`npm run docs\`. \`kh COMMAND --help\` says
the same. Exit codes: [exit-codes.md](exit-codes.md); \`--json\`: [json.md](json.md).
`;

async function reference() {
  const config = await Config.load({ root });
  const commands = config.commands.filter(({ hidden }) => !hidden).sort((a, b) => (a.id < b.id ? -1 : 1));
  const contents = commands.map(({ id, summary, description }) => {
    const name = id.replaceAll(':', ' ');
    const anchor = `kh-${id.replaceAll(':', '-')}`;
    return `- [\`kh ${name}\`](#${anchor}): ${summary ?? description}`;
  });
  return [HEAD, `${contents.join('\n')}\n`, ...commands.map((command) => section(command, config))].join(
    '\n',
  );
}

function section(command, config) {
  const id = command.id.replaceAll(':', ' ');
  const help = new CommandHelp({ ...command, id }, config, { maxWidth: 80, stripAnsi: true });
  return `## kh ${id}\n\n\`\`\`\n${help.generate().trimEnd()}\n\`\`\`\n`;
}

async function main() {
  const text = await reference();
  if (!process.argv.includes('--check')) {
    fs.writeFileSync(page, text);
    return;
  }
  if (fs.existsSync(page) && fs.readFileSync(page, 'utf8') === text) return;
  console.error('docs/commands.md is not what the commands say: run `npm run docs`.');
  process.exitCode = 1;
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
