import { KhError } from '../../../../src/core/errors';

/** The KhError that `work` ends with; anything else is thrown on. */
export async function failureOf(work: () => unknown): Promise<KhError> {
  try {
    await work();
  } catch (error) {
    if (error instanceof KhError) return error;
    throw error;
  }
  throw new Error('expected a KhError');
}
