import type { Diagnosis } from '../../app/doctor/doctor';
import type { DoctorFinding } from '../../app/doctor/finding';
import { printable } from '../../core/printable';
import type { Palette } from '../../ui/colour';
import { padTo } from '../../ui/text-width';
import type { ReportCase } from '../run-report';

/** What `kh doctor` prints: a line for each finding, and below those that can be mended, how. */
export function diagnosisText({ findings }: Diagnosis, colours: Palette): string {
  const { green, yellow, red, bold } = colours;
  const paints = { ok: green, note: bold, warning: yellow, error: red };
  const lines = findings.map(({ severity, area, subject, message, mend }) => {
    const head = `${padTo(paints[severity](severity), 7)}  ${padTo(area, 8)}  `;
    const text = `${head}${printable(subject)}: ${printable(message)}\n`;
    return mend === undefined || severity === 'ok' ? text : `${text}${' '.repeat(19)}→ ${printable(mend)}\n`;
  });
  return lines.join('') + `${summary(findings)}\n`;
}

function summary(findings: DoctorFinding[]): string {
  const count = (severity: DoctorFinding['severity']) =>
    findings.filter((finding) => finding.severity === severity).length;
  const [errors, warnings] = [count('error'), count('warning')];
  if (errors + warnings === 0) return 'nothing is wrong';
  const plural = (number: number, what: string) => `${number} ${what}${number === 1 ? '' : 's'}`;
  return `${plural(errors, 'error')}, ${plural(warnings, 'warning')}`;
}

/** The same for `--report`: a case for each device, and one for each other error. */
export function diagnosisCases({ findings, devices }: Diagnosis): ReportCase[] {
  const failureOf = (name: string) =>
    findings.find(({ code, subject }) => code !== undefined && subject === name);
  const elsewhere = findings.filter(({ code, area }) => code !== undefined && area !== 'device');
  return [
    ...devices.map((device) => ({ name: device.name, facts: device, ...problem(failureOf(device.name)) })),
    ...elsewhere.map((finding) => ({ name: `${finding.area} ${finding.subject}`, ...problem(finding) })),
  ];
}

function problem(finding: DoctorFinding | undefined): Pick<ReportCase, 'error'> {
  if (finding?.code === undefined) return {};
  const { code, message, mend } = finding;
  return { error: { code, message, ...(mend === undefined ? {} : { hint: mend }) } };
}
