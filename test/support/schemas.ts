import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import Ajv, { type ValidateFunction } from 'ajv';

const FOLDER = resolve(__dirname, '../../docs/schemas');

/** The schemas that docs/schemas has, by their names: `pull`, `store-gc`, `events`, … */
export const SCHEMAS = readdirSync(FOLDER).map((file) => file.replace(/\.json$/, ''));

/** A schema as it is published, or with fields refused that it does not describe. */
export function readSchema(name: string, { closed = false } = {}): object {
  const schema = JSON.parse(readFileSync(join(FOLDER, `${name}.json`), 'utf8')) as object;
  return closed ? (withoutMore(schema) as object) : schema;
}

/**
 * What a document has that its schema does not describe, or lacks; none where
 * it is as described. Fields beyond those described count too: scripts may be
 * given more than a schema tells, but nobody would know of it.
 */
export function schemaErrors(name: string, document: unknown): string[] {
  const validate = (compiled[name] ??= new Ajv({ allErrors: true }).compile(
    readSchema(name, { closed: true }),
  ));
  if (validate(document)) return [];
  return (validate.errors ?? []).map(
    ({ instancePath, message, params }) => `${instancePath} ${message} ${JSON.stringify(params)}`,
  );
}

/** The schema of what `kh ARGS --json` prints: its command's, or that of any document. */
export function schemaOf(args: readonly string[]): string {
  const words = args.filter((word) => !word.startsWith('-'));
  const name = [words.slice(0, 2).join('-'), words[0] ?? ''].find((known) => SCHEMAS.includes(known));
  return name ?? 'envelope';
}

const compiled: Record<string, ValidateFunction> = {};

function withoutMore(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(withoutMore);
  if (typeof schema !== 'object' || schema === null) return schema;
  const parts = Object.fromEntries(Object.entries(schema).map(([key, part]) => [key, withoutMore(part)]));
  return 'properties' in schema ? { additionalProperties: false, ...parts } : parts;
}
