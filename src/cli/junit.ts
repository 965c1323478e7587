import type { ErrorReport } from '../core/errors';

/** What JUnit is told of one device, or of the run. */
export interface ReportCase {
  /** Of the device: its serial. */
  name: string;
  milliseconds?: number;
  /** Facts about it; texts, numbers and truth values become properties. */
  facts?: object;
  /** Why it failed; absent where it did not. */
  error?: Pick<ErrorReport, 'code' | 'message' | 'hint'>;
}

export interface ReportSuite {
  /** `kh pull` */
  name: string;
  started: Date;
  milliseconds: number;
  cases: ReportCase[];
  warnings: string[];
}

/**
 * A run as a JUnit report: a suite with a case for each device. A bug in kh is
 * an `error`, everything else that goes wrong a `failure`.
 *
 * @see the schema that Jenkins reads, https://github.com/jenkinsci/xunit-plugin, junit-10.xsd
 */
export function junitReport({ name, started, milliseconds, cases, warnings }: ReportSuite): string {
  const isBug = ({ error }: ReportCase) => error?.code === 'INTERNAL';
  const failures = cases.filter((one) => one.error !== undefined && !isBug(one));
  const totals = {
    tests: cases.length,
    failures: failures.length,
    errors: cases.filter(isBug).length,
    time: seconds(milliseconds),
  };
  const timestamp = started.toISOString().slice(0, 19);
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites${attributes({ name, ...totals })}>`,
    `<testsuite${attributes({ name, timestamp, skipped: 0, ...totals })}>`,
    ...cases.flatMap((one) => caseLines(name, one)),
    ...(warnings.length === 0 ? [] : [`<system-err>${xmlText(warnings.join('\n'))}</system-err>`]),
    '</testsuite>',
    '</testsuites>',
    '',
  ].join('\n');
}

function caseLines(suite: string, { name, milliseconds = 0, facts = {}, error }: ReportCase): string[] {
  const properties = Object.entries(facts).filter(([, value]) => PLAIN.includes(typeof value));
  return [
    `<testcase${attributes({ name, classname: suite.replaceAll(' ', '.'), time: seconds(milliseconds) })}>`,
    ...(properties.length === 0 ? [] : propertyLines(properties)),
    ...(error === undefined ? [] : [problemLine(error)]),
    '</testcase>',
  ];
}

const PLAIN = ['string', 'number', 'boolean'];

function propertyLines(properties: [string, unknown][]): string[] {
  const lines = properties.map(([name, value]) => `<property${attributes({ name, value: String(value) })}/>`);
  return ['<properties>', ...lines, '</properties>'];
}

function problemLine({ code, message, hint }: NonNullable<ReportCase['error']>): string {
  const element = code === 'INTERNAL' ? 'error' : 'failure';
  const text = [`${code}: ${message}`, ...(hint === undefined ? [] : [hint])].join('\n');
  return `<${element}${attributes({ type: code, message })}>${xmlText(text)}</${element}>`;
}

function attributes(values: Record<string, string | number>): string {
  const one = ([name, value]: [string, string | number]) =>
    ` ${name}="${xmlText(String(value)).replace(/[\t\n]/g, (blank) => `&#${blank.charCodeAt(0)};`)}"`;
  return Object.entries(values).map(one).join('');
}

function seconds(milliseconds: number): string {
  return (milliseconds / 1000).toFixed(3);
}

/**
 * Text for XML. What XML 1.0 has no way to write at all, control characters
 * and halves of surrogate pairs among it, is left out.
 *
 * @see https://www.w3.org/TR/xml/#charsets
 */
export function xmlText(text: string): string {
  return text
    .replace(/[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/gu, '')
    .replace(/[&<>"\r]/g, (character) => ESCAPES[character] ?? '');
}

const ESCAPES: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\r': '&#13;',
};
