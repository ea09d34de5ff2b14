import { Injectable } from '@nestjs/common';

import type { TlsChoice } from '../engines/engine.js';
import { requestText } from '../idempotency/request-text.js';
import { SecretBox, type SecretPlace } from '../secrets/secret-box.js';
import type { Database, StoredTls } from './database.entity.js';

/** Seals what must not lie in clear in a row of `databases`, and opens it again. Each value opens in its own row only. */
@Injectable()
export class DatabaseSecrets {
  constructor(private readonly box: SecretBox) {}

  sealPassword(databaseId: string, password: string): string {
    return this.box.seal(password, passwordOf(databaseId));
  }

  /** Throws `secret-key-mismatch` or `secret-damaged`. */
  openPassword(database: Database): string | undefined {
    if (database.passwordSealed === null) return undefined;
    return this.box.open(database.passwordSealed, passwordOf(database.id));
  }

  sealTls(databaseId: string, { key, ...tls }: TlsChoice): StoredTls {
    return key === undefined ? tls : { ...tls, keySealed: this.box.seal(key, tlsKeyOf(databaseId)) };
  }

  /** Throws `secret-key-mismatch` or `secret-damaged`. */
  openTls({ id, tls: { keySealed, ...tls } }: Database): TlsChoice {
    return keySealed === undefined ? tls : { ...tls, key: this.box.open(keySealed, tlsKeyOf(id)) };
  }

  /**
   * By which the request that registered a database is known again, with its password and its private key, which one with others must
   * not be taken for. Comparing with what is sealed would not do: the password may have been changed since. A mark that does not agree
   * because the service has another key by now is one of another request, which is then refused and not answered wrongly.
   */
  markRequest(databaseId: string, request: object): string {
    return this.box.mark(requestText(request), requestOf(databaseId));
  }
}

function passwordOf(databaseId: string): SecretPlace {
  return { purpose: 'database.password', recordId: databaseId };
}

function tlsKeyOf(databaseId: string): SecretPlace {
  return { purpose: 'database.tls-key', recordId: databaseId };
}

function requestOf(databaseId: string): SecretPlace {
  return { purpose: 'database.request', recordId: databaseId };
}
