import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A certificate and its key as PEM texts. */
export interface Certificate {
  cert: string;
  key: string;
}

/** Makes a certificate of `name` as `FILE.crt` and `FILE.key` in a folder, signed by the CA in the files `by`, or by itself. */
export async function makeCertificate(
  folder: string,
  file: string,
  name: string,
  by?: string,
): Promise<Certificate> {
  const at = (end: string): string => join(folder, `${file}.${end}`);
  const subject = ['-subj', `/CN=${name}`, '-addext', `subjectAltName=DNS:${name}`];
  const key = ['-newkey', 'rsa:2048', '-nodes', '-keyout', at('key'), '-days', '2'];
  const signer =
    by === undefined ? [] : ['-CA', join(folder, `${by}.crt`), '-CAkey', join(folder, `${by}.key`)];
  await run('openssl', ['req', '-x509', ...subject, ...key, ...signer, '-out', at('crt')]);
  return { cert: await readFile(at('crt'), 'utf8'), key: await readFile(at('key'), 'utf8') };
}
