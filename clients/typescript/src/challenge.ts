/**
 * Answers proof-of-work challenges (ALTCHA's, SHA-256/384/512) with WebCrypto. Knows ALTCHA's JSON; knows no transport.
 *
 * A browser gives WebCrypto to pages of https and of localhost only. The work is some ten thousand hashes: one to three
 * seconds on a cheap phone; the page stays responsive. ALTCHA's own widget does the same in several workers.
 */

/** What the platform tells in the metadata `challenge` of CHALLENGE_REQUIRED, read. */
interface Challenge {
  parameters: { algorithm: string; nonce: string; salt: string; cost: number; keyLength?: number; keyPrefix: string };
  signature?: string;
}

const ALGORITHMS = new Set(["SHA-256", "SHA-384", "SHA-512"]);
const LANES = 4; // digests asked for at once: most of a digest's time is the way there and back

/**
 * The text for the request's `proof`. Rejects with a TypeError where the challenge is none of these or WebCrypto is not there,
 * and with the signal's reason when it aborts.
 */
export async function solveChallenge(told: string, signal?: AbortSignal): Promise<string> {
  const challenge = JSON.parse(told) as Challenge;
  const { algorithm, nonce, salt, cost, keyLength = 32, keyPrefix } = challenge.parameters;
  if (!ALGORITHMS.has(algorithm)) throw new TypeError(`a challenge of ${algorithm} is not known here`);
  const subtle = globalThis.crypto?.subtle;
  if (!subtle) throw new TypeError("the browser gives WebCrypto only to pages of https and localhost");
  const before = bytes(salt + nonce);
  let found: { counter: number; derivedKey: string } | undefined;

  async function key(counter: number): Promise<string> {
    const first = new Uint8Array(before.length + 4);
    first.set(before);
    new DataView(first.buffer).setUint32(before.length, counter);
    let derived: Uint8Array<ArrayBuffer> = first;
    for (let round = 0; round < Math.max(1, cost); round++) {
      derived = new Uint8Array(await subtle.digest(algorithm, derived)).slice(0, keyLength);
    }
    return hex(derived);
  }

  async function lane(start: number): Promise<void> {
    for (let counter = start; !found; counter += LANES) {
      signal?.throwIfAborted();
      const derivedKey = await key(counter);
      if (derivedKey.startsWith(keyPrefix.toLowerCase())) found ??= { counter, derivedKey };
    }
  }

  await Promise.all(Array.from({ length: LANES }, (_, start) => lane(start)));
  const { parameters, signature } = challenge;
  return btoa(JSON.stringify({ challenge: { parameters, signature }, solution: found }));
}

function bytes(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

function hex(found: Uint8Array): string {
  return Array.from(found, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
