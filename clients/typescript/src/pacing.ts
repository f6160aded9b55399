/** When to try again. Knows time and chance; knows no call. */

/** Milliseconds before the next try: 0.1 s doubling up to 5 s, half of it by chance so that clients do not come together. */
export function backoff(attempt: number): number {
  const longest = Math.min(5_000, 100 * 2 ** (attempt - 1));
  return longest / 2 + (Math.random() * longest) / 2;
}

/** Rejects with the signal's reason when it aborts. */
export function pause(milliseconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason as Error);
    const aborted = () => {
      clearTimeout(timer);
      reject(signal?.reason as Error);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", aborted);
      resolve();
    }, milliseconds);
    signal?.addEventListener("abort", aborted, { once: true });
  });
}
