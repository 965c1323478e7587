import { SaxesParser } from 'saxes';

/** An element of a report, as it was parsed. */
export interface ReportElement {
  name: string;
  attributes: Record<string, string>;
  children: ReportElement[];
  text: string;
}

/**
 * Reads a JUnit report with a parser that refuses what is not well-formed, and
 * checks its form: elements where JUnit has them, and counts that are true.
 *
 * @returns the only suite
 * @throws Error where it is no such report
 */
export function readJunit(xml: string): ReportElement {
  const root = parse(xml);
  expect(root.name).toBe('testsuites');
  expect(root.children.map(({ name }) => name)).toEqual(['testsuite']);
  const [suite] = root.children as [ReportElement];
  const cases = suite.children.filter(({ name }) => name === 'testcase');
  expect(suite.children.filter(({ name }) => name !== 'testcase' && name !== 'system-err')).toEqual([]);
  const count = (name: string) =>
    String(cases.filter(({ children }) => children.some((child) => child.name === name)).length);
  for (const { attributes } of [root, suite]) {
    expect(attributes).toMatchObject({
      tests: String(cases.length),
      failures: count('failure'),
      errors: count('error'),
      time: expect.stringMatching(/^\d+\.\d{3}$/) as unknown,
    });
  }
  for (const { attributes, children } of cases) {
    expect(Object.keys(attributes)).toEqual(['name', 'classname', 'time']);
    expect(['properties', 'failure', 'error']).toEqual(
      expect.arrayContaining(children.map(({ name }) => name)),
    );
  }
  return suite;
}

/** The properties of each case, by the case's name. */
export function propertiesOf(suite: ReportElement): Record<string, Record<string, string>> {
  const cases = suite.children.filter(({ name }) => name === 'testcase');
  return Object.fromEntries(
    cases.map(({ attributes, children }): [string, Record<string, string>] => {
      const list = children.find(({ name }) => name === 'properties')?.children ?? [];
      const pairs = list.map(({ attributes: { name = '', value = '' } }) => [name, value]);
      return [attributes['name'] ?? '', Object.fromEntries(pairs) as Record<string, string>];
    }),
  );
}

/** What went wrong in each case, by the case's name; cases that passed are not in it. */
export function failuresOf(suite: ReportElement): Record<string, { type: string; text: string }> {
  const cases = suite.children.filter(({ name }) => name === 'testcase');
  return Object.fromEntries(
    cases.flatMap(({ attributes, children }): [string, { type: string; text: string }][] => {
      const problem = children.find(({ name }) => name === 'failure' || name === 'error');
      if (problem === undefined) return [];
      return [[attributes['name'] ?? '', { type: problem.attributes['type'] ?? '', text: problem.text }]];
    }),
  );
}

function parse(xml: string): ReportElement {
  const document: ReportElement = { name: '', attributes: {}, children: [], text: '' };
  const open = [document];
  const parser = new SaxesParser();
  parser.on('error', (error) => {
    throw error;
  });
  parser.on('opentag', ({ name, attributes }) => {
    const element = { name, attributes, children: [], text: '' };
    open.at(-1)!.children.push(element);
    open.push(element);
  });
  parser.on('text', (text) => (open.at(-1)!.text += text));
  parser.on('closetag', () => open.pop());
  parser.write(xml).close();
  return document.children[0]!;
}
