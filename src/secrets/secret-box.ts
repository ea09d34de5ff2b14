import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto';

import type { SecretKey } from './secret-key.js';
import { SecretDamagedError, SecretKeyMismatchError } from './secrets.errors.js';

const VERSION = 'v1';
const CIPHER = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** Names the use: the key of marks is another than the one that seals, and says nothing of it. */
const MARKING = 'backstop/secret-box/mark/v1';
const MARK_KEY_BYTES = 32;

/** Where a secret belongs. It is authenticated with the value, so a sealed value opens in its own place only. */
export interface SecretPlace {
  /** What the secret is, as `database.password`. */
  purpose: string;
  /** Id of the record that holds it. */
  recordId: string;
}

/**
 * Seals secrets before they reach a row, and opens them where they are used. A sealed value is the text
 * `v1.<key id>.<nonce>.<ciphertext and tag>`, the last three in base64url: AES-256-GCM with a random nonce of 96 bits (safe
 * for 2³² values under one key, far above what one catalog holds) and the place as associated data.
 */
export class SecretBox {
  readonly #key: SecretKey;
  readonly #markKey: Buffer;

  constructor(key: SecretKey) {
    this.#key = key;
    this.#markKey = Buffer.from(hkdfSync('sha256', key.bytes, '', MARKING, MARK_KEY_BYTES));
  }

  /** Public name of the key in use. */
  get keyId(): string {
    return this.#key.id;
  }

  /** Seals a text for one place. Two calls never give the same value. */
  seal(plain: string, place: SecretPlace): string {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv(CIPHER, this.#key.bytes, nonce, { authTagLength: TAG_BYTES });
    cipher.setAAD(associatedData(this.#key.id, place));
    const sealed = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final(), cipher.getAuthTag()]);
    return [VERSION, this.#key.id, nonce.toString('base64url'), sealed.toString('base64url')].join('.');
  }

  /**
   * Gives the text that was sealed for this place.
   *
   * @throws SecretKeyMismatchError when another key sealed it.
   * @throws SecretDamagedError when it was cut, changed, sealed for another place, or written by a newer version.
   */
  open(sealed: string, place: SecretPlace): string {
    const { keyId, nonce, body } = parse(sealed);
    if (keyId !== this.#key.id) throw new SecretKeyMismatchError(keyId, this.#key.id);
    const decipher = createDecipheriv(CIPHER, this.#key.bytes, nonce, { authTagLength: TAG_BYTES });
    decipher.setAAD(associatedData(keyId, place));
    decipher.setAuthTag(body.subarray(-TAG_BYTES));
    try {
      const plain = Buffer.concat([decipher.update(body.subarray(0, -TAG_BYTES)), decipher.final()]);
      return plain.toString('utf8');
    } catch (cause) {
      throw new SecretDamagedError('it was changed, or it belongs to another record', cause);
    }
  }

  /**
   * A mark by which a text is known again that must not be kept, 43 characters long: the same text in the same place under the same key has
   * the same mark, and nothing else has it.
   *
   * It is an HMAC, not a digest. A text with a password in it has so little to guess that whoever has read its digest in a catalog, or in a
   * copy of one, tries passwords until one fits, and nobody notices. Without the key he can try nothing; with the key he could open what
   * is sealed. The place is marked with the text, so that equal texts of two records do not show as equal.
   */
  mark(text: string, { purpose, recordId }: SecretPlace): string {
    const marked = JSON.stringify([purpose, recordId, text]);
    return createHmac('sha256', this.#markKey).update(marked, 'utf8').digest('base64url');
  }
}

/** JSON, because its quoting keeps `["a.b", "c"]` and `["a", "b.c"]` apart. */
function associatedData(keyId: string, place: SecretPlace): Buffer {
  return Buffer.from(JSON.stringify([VERSION, keyId, place.purpose, place.recordId]));
}

function parse(sealed: string): { keyId: string; nonce: Buffer; body: Buffer } {
  const [version, keyId, nonceText, bodyText, ...rest] = sealed.split('.');
  if (version !== VERSION) {
    throw new SecretDamagedError('it is not in a form that this version of Backstop knows');
  }
  const nonce = decode(nonceText);
  const body = decode(bodyText);
  if (!keyId || nonce?.length !== NONCE_BYTES || !body || body.length < TAG_BYTES || rest.length > 0) {
    throw new SecretDamagedError('it is incomplete');
  }
  return { keyId, nonce, body };
}

/** Node's decoder skips what it does not know; only the exact spelling that `seal` writes is accepted. */
function decode(text: string | undefined): Buffer | undefined {
  if (text === undefined) return undefined;
  const bytes = Buffer.from(text, 'base64url');
  return bytes.toString('base64url') === text ? bytes : undefined;
}
