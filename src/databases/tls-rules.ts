import { createPrivateKey, X509Certificate } from 'node:crypto';

import type { TlsChoice } from '../engines/engine.js';
import { TlsInvalidError } from './databases.errors.js';

/** As libpq: TLS where the server offers it. */
export const DEFAULT_TLS: TlsChoice = { mode: 'prefer' };

/** Changes to a TLS choice: a value replaces, `null` goes back to the default, what is absent stays. */
export type TlsChanges = { [K in keyof TlsChoice]?: TlsChoice[K] | null | undefined };

/** PEM texts are a few kilobytes; a bundle of all public authorities is about 220. */
const MAX_PEM_LENGTH = 512 * 1024;

/** Gives `tls` with the changes made. `storedKey` is asked for the key only where that stays as it is. */
export function mergeTls(
  tls: Omit<TlsChoice, 'key'>,
  storedKey: () => string | undefined,
  changes: TlsChanges,
): TlsChoice {
  const pick = <T>(change: T | null | undefined, stored: () => T): T | undefined =>
    change === undefined ? stored() : (change ?? undefined);
  const ca = pick(changes.ca, () => tls.ca);
  const cert = pick(changes.cert, () => tls.cert);
  const key = pick(changes.key, storedKey);
  return {
    mode: pick(changes.mode, () => tls.mode) ?? DEFAULT_TLS.mode,
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
  };
}

/**
 * Checks a TLS choice as a whole: what it holds can be read, and fits together.
 *
 * @throws TlsInvalidError, which does not repeat the key
 */
export function checkTls(tls: TlsChoice): void {
  for (const field of ['ca', 'cert', 'key'] as const) {
    if (tls[field] !== undefined && tls[field].length > MAX_PEM_LENGTH) {
      throw new TlsInvalidError(field, `is longer than ${MAX_PEM_LENGTH} characters`);
    }
  }
  if (tls.mode === 'disable' && (tls.ca ?? tls.cert ?? tls.key) !== undefined) {
    throw new TlsInvalidError('mode', 'is disable, and then ca, cert and key have no use; leave them out');
  }
  if (tls.ca !== undefined) readCertificate('ca', tls.ca);
  if ((tls.cert === undefined) !== (tls.key === undefined)) {
    throw new TlsInvalidError(
      tls.cert === undefined ? 'cert' : 'key',
      'is missing: cert and key go together',
    );
  }
  if (tls.cert !== undefined && tls.key !== undefined) checkPair(tls.cert, tls.key);
}

function checkPair(cert: string, key: string): void {
  const certificate = readCertificate('cert', cert);
  if (/ENCRYPTED/.test(key)) {
    throw new TlsInvalidError(
      'key',
      'is protected by a passphrase; give it without one, it is sealed before it is stored',
    );
  }
  let matches: boolean;
  try {
    matches = certificate.checkPrivateKey(createPrivateKey(key));
  } catch {
    throw new TlsInvalidError('key', 'is not a private key in PEM');
  }
  if (!matches) throw new TlsInvalidError('key', 'is not the private key of cert');
}

/** Reads the first certificate of the text; a chain or a bundle may follow it. */
function readCertificate(field: 'ca' | 'cert', pem: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch {
    throw new TlsInvalidError(field, 'is not a certificate in PEM');
  }
}
