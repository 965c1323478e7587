'use strict';
// docs/commands.md, made from the commands themselves.
Object.assign(process.env, { NO_COLOR: '1', OCLIF_COLUMNS: '80' }); // oclif reads both as it loads
const { Config } = require('@oclif/core/config');
const { CommandHelp } = require('@oclif/core/help');

const HEAD = `# Commands

Made from the commands themselves by \`npm run docs\`. \`kh COMMAND --help\` says
the same. Exit codes: [exit-codes.md](exit-codes.md); \`--json\`: [json.md](json.md).
`;

/** @returns {Promise<string>} the page */
async function reference(root) {
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

module.exports = { reference };
