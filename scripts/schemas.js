'use strict';
// The JSON schemas of docs/schemas, made from the types: one for each command's
// document (the properties of Documents), for a line of a watch, for the
// events, for what every document has in common, and for the files that people
// write: the lab file, the manifest and its signatures.
const path = require('node:path');
const { createGenerator } = require('ts-json-schema-generator');

const DRAFT = 'http://json-schema.org/draft-07/schema#';

/** @returns {Map<string, string>} file name → content */
function schemas(root) {
  const documents = definitions(root, 'cli/documents.ts', ['Documents', 'FailureDocument']);
  const events = definitions(root, 'core/events.ts', ['KhEvent']);
  const watch = definitions(root, 'cli/watch-output.ts', ['WatchLine']);
  const line = { anyOf: [ref('WatchLine'), ref('FailureDocument')] };
  const lab = definitions(root, 'app/lab/lab-file.ts', ['LabFile'], { additionalProperties: false });
  const strict = { additionalProperties: false };
  const manifest = definitions(root, 'archive/manifest/types.ts', ['LabManifestFile'], strict);
  const signatures = definitions(root, 'archive/manifest/signatures.ts', ['SignatureFile'], strict);
  const { Documents: done, FailureDocument: failed } = documents;
  const files = Object.keys(done.properties).map((command) => {
    const schema = { anyOf: [done.properties[command], ref('FailureDocument')] };
    return file(command, `What kh ${command} --json prints`, schema, documents);
  });
  return new Map([
    ...files,
    file('watch', 'A line of what kh watch --json prints', line, { ...documents, ...watch }),
    file('events', 'What kh reports while it works', ref('KhEvent'), events),
    file('lab', 'A lab file of kh: kh.lab.json', ref('LabFile'), lab),
    file('lab-manifest', "A lab's manifest: the archives that it trusts", ref('LabManifestFile'), manifest),
    file('manifest-signatures', 'The signatures of a manifest: FILE.sig', ref('SignatureFile'), signatures),
    file('envelope', 'What every document of --json has', envelope(failed), documents),
  ]);
}

/** The named types of a source file, with all that they refer to. */
function definitions(root, source, types, options) {
  const generator = createGenerator({
    path: path.join(root, 'src', source),
    tsconfig: path.join(root, 'tsconfig.json'),
    type: '*',
    skipTypeCheck: true, // `npm run typecheck` does
    additionalProperties: true, // fields may be added
    ...options,
  });
  const found = Object.assign({}, ...types.map((type) => generator.createSchema(type).definitions));
  if (JSON.stringify(found).includes('Failed to correctly infer type')) {
    throw new Error(`${source} has a type that no schema can tell: name it, without inference`);
  }
  return Object.fromEntries(Object.entries(found).map(([name, schema]) => [name, inlined(schema, found)]));
}

/** Puts generic types where they are used: their names hold places in the source, and change with it. */
function inlined(schema, known) {
  if (Array.isArray(schema)) return schema.map((part) => inlined(part, known));
  if (typeof schema !== 'object') return schema;
  const { $ref, ...rest } = schema;
  const type = $ref === undefined ? undefined : typeOf($ref);
  if (type !== undefined && !/^\w+$/.test(type)) return { ...inlined(known[type], known), ...rest };
  return Object.fromEntries(Object.entries(schema).map(([key, part]) => [key, inlined(part, known)]));
}

/** Of any command: the work's result may be anything here. */
function envelope({ properties: { error, ...common }, required }) {
  return {
    type: 'object',
    properties: { ...common, error, result: {}, devices: { type: 'array' }, servers: { type: 'array' } },
    required: required.filter((name) => name !== 'error'),
    oneOf: ['error', 'result', 'devices'].map((name) => ({ required: [name] })),
  };
}

function file(name, title, schema, known) {
  const types = [...reachable(schema, known)].sort();
  const used = Object.fromEntries(types.map((type) => [type, known[type]]));
  const text = JSON.stringify({ $schema: DRAFT, title, ...schema, definitions: used }, undefined, 2);
  return [`${name.replaceAll(' ', '-')}.json`, `${text}\n`];
}

/** The types that a schema refers to, and those that these refer to. */
function reachable(schema, known, found = new Set()) {
  for (const [, $ref] of JSON.stringify(schema).matchAll(/"\$ref":"([^"]+)"/g)) {
    const type = typeOf($ref);
    if (!found.has(type)) reachable(known[type], known, found.add(type));
  }
  return found;
}

const ref = (type) => ({ $ref: `#/definitions/${type}` });

const typeOf = ($ref) => decodeURIComponent($ref.slice('#/definitions/'.length));

module.exports = { schemas };
