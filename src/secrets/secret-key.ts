import { scrypt } from 'node:crypto';

import { SecretKeyUnusableError } from './secrets.errors.js';

/** Shortest accepted key text, in characters. 32 random bytes are 43 in base64 and 64 in hex. */
export const MIN_KEY_TEXT_LENGTH = 32;

const KEY_BYTES = 32;
const KEY_ID_BYTES = 6;
const COST = { N: 2 ** 15, r: 8, p: 1, maxmem: 64 * 2 ** 20 };
/** Names the use, so that the same text in another program gives another key. One key text serves one installation. */
const SALT = 'backstop/secret-box/v1';

/** What seals and opens secrets. `id` is public: it is part of each sealed value and appears in errors. */
export interface SecretKey {
  id: string;
  bytes: Buffer;
}

/**
 * Makes the key from a text: a passphrase, or random bytes in whatever spelling. There is one way for all of them (scrypt,
 * about 0.1 s of another thread, once per start), because a text cannot be told to be random by its looks: for random bytes scrypt loses
 * nothing, and a passphrase gains by it. It also means that the content of a generated key file can be moved into
 * `BACKSTOP_SECRET_KEY` as it is. Blanks and line ends around the text do not count.
 *
 * @throws SecretKeyUnusableError when the text is shorter than `MIN_KEY_TEXT_LENGTH`.
 */
export async function deriveSecretKey(text: string): Promise<SecretKey> {
  const trimmed = text.trim();
  if (trimmed.length < MIN_KEY_TEXT_LENGTH) {
    throw new SecretKeyUnusableError(
      `it has ${trimmed.length} characters, and at least ${MIN_KEY_TEXT_LENGTH} are needed. ` +
        'Make one with: openssl rand -base64 32',
    );
  }
  const derived = await derive(trimmed);
  return {
    bytes: derived.subarray(0, KEY_BYTES),
    id: derived.subarray(KEY_BYTES).toString('base64url'),
  };
}

function derive(text: string): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(text, SALT, KEY_BYTES + KEY_ID_BYTES, COST, (error, derived) => {
      if (error === null) resolve(derived);
      else reject(error);
    });
  });
}
