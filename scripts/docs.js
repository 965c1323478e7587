'use strict';
// Writes what of docs/ is made from the code; with --check, fails where a file
// there says something else.
const fs = require('node:fs');
const path = require('node:path');
const { reference } = require('./command-reference');
const { schemas } = require('./schemas');

const root = path.join(__dirname, '..');
const folder = path.join(root, 'docs', 'schemas');

async function main() {
  const made = new Map([[path.join(root, 'docs', 'commands.md'), await reference(root)]]);
  for (const [name, text] of schemas(root)) made.set(path.join(folder, name), text);
  const stale = [...made].filter(([file, text]) => contentOf(file) !== text).map(([file]) => file);
  const left = namesIn(folder).filter((file) => !made.has(file));
  if (!process.argv.includes('--check')) {
    fs.mkdirSync(folder, { recursive: true });
    for (const file of left) fs.rmSync(file);
    for (const file of stale) fs.writeFileSync(file, made.get(file));
    return;
  }
  for (const file of [...stale, ...left]) {
    console.error(`${path.relative(root, file)} is not what the code says: run \`npm run docs\`.`);
    process.exitCode = 1;
  }
}

function contentOf(file) {
  return fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : undefined;
}

function namesIn(folder) {
  return fs.existsSync(folder) ? fs.readdirSync(folder).map((name) => path.join(folder, name)) : [];
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
