import { delay, unlessAborted, withDeadline, withGrace } from '../../../src/core/abort';

const never = () => new Promise<never>(() => undefined);

describe('withDeadline', () => {
  const options = { signal: new AbortController().signal, milliseconds: 20, what: 'waiting' };

  it('gives the result of work that is done in time', async () => {
    await expect(withDeadline(() => Promise.resolve(1), options)).resolves.toBe(1);
  });

  it('tells the work that its time is up, with a TIMEOUT that says what for', async () => {
    const work = withDeadline((signal) => unlessAborted(never(), signal), options);
    await expect(work).rejects.toMatchObject({ code: 'TIMEOUT', message: 'timed out after 0.02 s waiting' });
  });

  it('waits for what the work cleans up', async () => {
    let cleaned = false;
    const work = withDeadline(async (signal) => {
      try {
        await unlessAborted(never(), signal);
      } finally {
        await new Promise((resolve) => setTimeout(resolve, 20));
        cleaned = true;
      }
    }, options);
    await expect(work).rejects.toMatchObject({ code: 'TIMEOUT' });
    expect(cleaned).toBe(true);
  });

  it('passes on an abort from outside, with its reason', async () => {
    const controller = new AbortController();
    const work = withDeadline((signal) => unlessAborted(never(), signal), {
      ...options,
      milliseconds: 60_000,
      signal: controller.signal,
    });
    controller.abort(new Error('stop'));
    await expect(work).rejects.toThrow('stop');
  });

  it('does not begin where the signal has fired', async () => {
    const work = jest.fn();
    const signal = AbortSignal.abort(new Error('stop'));
    await expect(withDeadline(work, { ...options, signal })).rejects.toThrow('stop');
    expect(work).not.toHaveBeenCalled();
  });
});

describe('withGrace', () => {
  it('lets work that is under way end after the signal has fired', async () => {
    const controller = new AbortController();
    const work = async (signal: AbortSignal) => {
      controller.abort(new Error('stop'));
      await delay(5, signal);
      return 'done';
    };
    const options = { signal: controller.signal, milliseconds: 60_000 };
    await expect(withGrace(work, options)).resolves.toBe('done');
  });

  it('stops it with the reason when the grace is over', async () => {
    const controller = new AbortController();
    const work = withGrace((signal) => unlessAborted(never(), signal), {
      signal: controller.signal,
      milliseconds: 5,
    });
    controller.abort(new Error('stop'));
    await expect(work).rejects.toThrow('stop');
  });

  it('does not begin where the signal has fired', async () => {
    const work = jest.fn();
    const signal = AbortSignal.abort(new Error('stop'));
    await expect(withGrace(work, { signal, milliseconds: 5 })).rejects.toThrow('stop');
    expect(work).not.toHaveBeenCalled();
  });
});

describe('delay', () => {
  it('ends at once with the reason when the signal fires', async () => {
    const controller = new AbortController();
    const waiting = delay(60_000, controller.signal);
    controller.abort(new Error('stop'));
    await expect(waiting).rejects.toThrow('stop');
  });

  it('does not begin where the signal has fired', async () => {
    await expect(delay(60_000, AbortSignal.abort(new Error('stop')))).rejects.toThrow('stop');
  });
});
