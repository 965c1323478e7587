import { KhError } from '../core/errors';

/** Longest text in a file of the store: what it holds came from a device once. */
const LONGEST_TEXT = 4096;

/** The text of such a file, with texts cut to what is read again. */
export function formatFields(value: object): string {
  const cut = (_: string, field: unknown) =>
    typeof field === 'string' ? field.slice(0, LONGEST_TEXT) : field;
  return `${JSON.stringify(value, cut, 2)}\n`;
}

/**
 * Reads the fields of a JSON object from disk, each by the kind it must be of.
 * Every method throws STORE_DAMAGED, naming the field, when it is not.
 */
export interface Fields {
  text(name: string): string;
  optionalText(name: string): string | undefined;
  texts(name: string): string[];
  /** A whole number from 0. */
  count(name: string): number;
  /** So many lower-case hex digits. */
  digest(name: string, digits: 32 | 64): string;
  /** A time in ISO 8601, as `Date.toISOString` writes it. */
  time(name: string): string;
  oneOf<T extends string>(name: string, choices: readonly T[]): T;
  manyOf<T extends string>(name: string, choices: readonly T[]): T[];
  object(name: string): Fields;
  optionalObject(name: string): Fields | undefined;
}

export interface JsonFile {
  path: string;
  /** The field that every file of this kind has, and the version of the form that this kh reads: `{ workspace: 1 }`. */
  kind: string;
  version: number;
  /** What to do when it is damaged. */
  hint: string;
}

/**
 * @param text what the file holds
 * @throws KhError STORE_NEWER when a newer kh wrote it; STORE_DAMAGED when it is no JSON object, or of another kind
 */
export function parseFields(text: string, file: JsonFile): Fields {
  const damaged = (what: string, cause?: unknown) =>
    new KhError('STORE_DAMAGED', {
      message: `${file.path} is damaged: ${what}`,
      hint: file.hint,
      details: { path: file.path },
      cause,
    });
  const value = parseJson(text, damaged);
  if (!isObject(value)) throw damaged('it holds no JSON object');
  const version = value[file.kind];
  if (isLater(version, file)) throw newerError(file);
  if (version !== file.version) throw damaged(`it is no ${file.kind} of form ${file.version}`);
  return fieldsOf(value, '', damaged);
}

type Form = Pick<JsonFile, 'path' | 'kind' | 'version'>;

/** Whether a newer kh wrote a file, in a form that this one does not know. */
export function isNewer(text: string | undefined, form: Pick<Form, 'kind' | 'version'>): boolean {
  try {
    const value: unknown = JSON.parse(text ?? 'null');
    return isObject(value) && isLater(value[form.kind], form);
  } catch (error) {
    if (error instanceof SyntaxError) return false;
    throw error;
  }
}

/**
 * To be called before a file is written over whose loss a newer kh would miss.
 *
 * @throws KhError STORE_NEWER
 */
export function refuseNewer(text: string | undefined, form: Form): void {
  if (isNewer(text, form)) throw newerError(form);
}

function isLater(version: unknown, form: Pick<Form, 'version'>): boolean {
  return typeof version === 'number' && version > form.version;
}

function newerError({ path, kind }: Form): KhError {
  return new KhError('STORE_NEWER', {
    message: `${path} was written by a newer kh, in a form (${kind}) that this one does not know`,
    hint: 'Use the newer kh, or set KH_HOME to another folder for this one. It was left as it is.',
    details: { path },
  });
}

type Damaged = (what: string, cause?: unknown) => KhError;

function parseJson(text: string, damaged: Damaged): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw damaged('it holds no JSON', error);
  }
}

function fieldsOf(object: Record<string, unknown>, within: string, damaged: Damaged): Fields {
  const wrong = (name: string, wanted: string) => damaged(`${within}${name} is not ${wanted}`);
  const get = <T>(name: string, is: (value: unknown) => value is T, wanted: string): T => {
    // A name that the object merely inherits ("constructor") is not in the file.
    const value = Object.hasOwn(object, name) ? object[name] : undefined;
    if (!is(value)) throw wrong(name, wanted);
    return value;
  };
  const matching = (name: string, form: RegExp, wanted: string) => {
    const text = get(name, isText, wanted);
    if (!form.test(text)) throw wrong(name, wanted);
    return text;
  };
  const list = <T extends string>(name: string, choices: readonly T[]) =>
    get(
      name,
      (value): value is T[] => isTexts(value) && value.every(among(choices)),
      'a list of what it may hold',
    );
  const fields: Fields = {
    text: (name) => get(name, isText, 'a text'),
    optionalText: (name) => (Object.hasOwn(object, name) ? fields.text(name) : undefined),
    texts: (name) => get(name, isTexts, 'a list of texts'),
    count: (name) => get(name, isCount, 'a whole number'),
    digest: (name, digits) => matching(name, new RegExp(`^[0-9a-f]{${digits}}$`), `${digits} hex digits`),
    time: (name) => matching(name, ISO_TIME, 'a time'),
    oneOf: (name, choices) => get(name, among(choices), `one of ${choices.join(', ')}`),
    manyOf: list,
    object: (name) => fieldsOf(get(name, isObject, 'an object'), `${within}${name}.`, damaged),
    optionalObject: (name) => (Object.hasOwn(object, name) ? fields.object(name) : undefined),
  };
  return fields;
}

const ISO_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

const isText = (value: unknown): value is string => typeof value === 'string' && value.length <= LONGEST_TEXT;
const isTexts = (value: unknown): value is string[] => Array.isArray(value) && value.every(isText);
const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const among =
  <T extends string>(choices: readonly T[]) =>
  (value: unknown): value is T =>
    (choices as readonly unknown[]).includes(value);
