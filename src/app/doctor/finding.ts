import { asKhError, type ErrorCode } from '../../core/errors';

/** What a finding is about. */
export type DoctorArea = 'kh' | 'adb' | 'device' | 'compiler' | 'disk' | 'store' | 'manifest';

/**
 * `ok`: as it should be. `note`: worth knowing. `warning`: something will not
 * work, but what else kh does will. `error`: a pull, or what was asked about, fails.
 */
export type Severity = 'ok' | 'note' | 'warning' | 'error';

/** One thing that `kh doctor` found. */
export interface DoctorFinding {
  severity: Severity;
  area: DoctorArea;
  /** The server, the device, the kernel or the path that it is about. */
  subject: string;
  message: string;
  /** What mends it: a command, or what to do. */
  mend?: string;
  /** Of an error: what kh would fail with. */
  code?: ErrorCode;
}

/** Findings of one area and about one subject. */
export interface Findings {
  ok: (message: string) => DoctorFinding;
  note: (message: string, mend?: string) => DoctorFinding;
  warning: (message: string, mend?: string) => DoctorFinding;
  error: (code: ErrorCode, message: string, mend?: string) => DoctorFinding;
  /** What was thrown, as an error; or as milder, where kh does without. */
  failed: (thrown: unknown, severity?: 'warning' | 'error') => DoctorFinding;
}

export function findings(area: DoctorArea, subject: string): Findings {
  const about = (severity: Severity, message: string, mend?: string): DoctorFinding => ({
    severity,
    area,
    subject,
    message,
    ...(mend === undefined ? {} : { mend }),
  });
  return {
    ok: (message) => about('ok', message),
    note: (message, mend) => about('note', message, mend),
    warning: (message, mend) => about('warning', message, mend),
    error: (code, message, mend) => ({ ...about('error', message, mend), code }),
    failed: (thrown, severity = 'error') => {
      const { code, reason, hint } = asKhError(thrown);
      return { ...about(severity, reason, hint), ...(severity === 'error' ? { code } : {}) };
    },
  };
}
