import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsIn, IsOptional, IsString } from 'class-validator';

import { TLS_MODES, type TlsChoice } from '../../engines/engine.js';
import type { TlsChanges } from '../tls-rules.js';

/** How the connection to the server is protected. In a change, `null` takes a text away, and what is left out stays. */
export class TlsFields {
  /**
   * `prefer` (the default) uses TLS where the server offers it, and checks nothing; `verify-full` checks the certificate and
   * the host's name.
   * @example "verify-full"
   */
  @IsOptional()
  @IsIn(TLS_MODES)
  mode?: TlsChoice['mode'] | null;

  /**
   * Certificates of the authorities to trust, in PEM.
   * @example "-----BEGIN CERTIFICATE-----\nMIIB...\n-----END CERTIFICATE-----\n"
   */
  @IsOptional()
  @IsString()
  ca?: string | null;

  /**
   * Our certificate, in PEM, for servers that ask for one.
   * @example "-----BEGIN CERTIFICATE-----\nMIIB...\n-----END CERTIFICATE-----\n"
   */
  @IsOptional()
  @IsString()
  cert?: string | null;

  /** The private key of `cert`, in PEM without a passphrase. Sealed before it is stored, and never shown. */
  @ApiPropertyOptional({ writeOnly: true })
  @IsOptional()
  @IsString()
  key?: string | null;
}

/** In the words of the code. `tls: null` goes back to the default altogether. */
export function toTlsChanges(fields: TlsFields | null | undefined): TlsChanges {
  if (fields === null) return { mode: null, ca: null, cert: null, key: null };
  if (fields === undefined) return {};
  const { mode, ca, cert, key } = fields;
  return { mode, ca, cert, key };
}
