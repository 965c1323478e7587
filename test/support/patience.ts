/** Processes and guests take their time on a busy machine: a test that hangs still ends. */
jest.setTimeout(180_000);
