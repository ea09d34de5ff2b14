/** Names of databases that restores make. Pure; all fit `maxBytes`, and are cut between characters, never within one. */

/** The default name of a restored copy: `shop_restored_20261121_030000`; `turn` above 1 tells apart two of one second. */
export function restoredName(base: string, at: Date, turn: number, maxBytes: number): string {
  return fit(base, `_restored_${stampOf(at)}${turnOf(turn)}`, maxBytes);
}

/** Whether a name looks like one that `restoredName` gives. */
export function isRestoredName(name: string): boolean {
  return /_restored_\d{8}_\d{6}(_\d+)?$/.test(name);
}

/**
 * The name under which a database is loaded, until it has been compared. Nobody else can mean this name, so dropping it by
 * name is safe; each attempt has its own, so a worker that was given up cannot drop its successor's.
 */
export function restoringName(base: string, restoreId: string, attempt: number, maxBytes: number): string {
  // The end of a UUID v7 is its random part; its beginning is the time.
  return fit(base, `_restoring_${restoreId.slice(-12)}${turnOf(attempt)}`, maxBytes);
}

/** Whom an engine is told that a fresh database is made for. */
export function ownerOf({ id, attempt }: { id: string; attempt: number }): string {
  return `restore ${id}, attempt ${attempt}`;
}

/** The name that the old database keeps: `shop_before_restore_20261121_030000`. */
export function keptName(base: string, at: Date, turn: number, maxBytes: number): string {
  return fit(base, `_before_restore_${stampOf(at)}${turnOf(turn)}`, maxBytes);
}

/** Server and database as one word; the host's letters have no case. */
export function activeTarget(host: string, port: number, databaseName: string): string {
  return `${host.toLowerCase()}:${port}/${databaseName}`;
}

function fit(base: string, suffix: string, maxBytes: number): string {
  return cutToBytes(base, maxBytes - Buffer.byteLength(suffix)) + suffix;
}

/** The longest beginning of `text` that has at most `maxBytes` bytes in UTF-8 and ends between characters. */
export function cutToBytes(text: string, maxBytes: number): string {
  let cut = '';
  let bytes = 0;
  // A string's iterator gives whole code points: a pair of surrogates is never torn.
  for (const character of text) {
    bytes += Buffer.byteLength(character);
    if (bytes > maxBytes) break;
    cut += character;
  }
  return cut;
}

function turnOf(turn: number): string {
  return turn > 1 ? `_${turn}` : '';
}

/** `20261121_030000`, in UTC as in the names of archives. */
function stampOf(at: Date): string {
  const [day = '', time = ''] = at.toISOString().split('T');
  return `${day.replaceAll('-', '')}_${time.slice(0, 8).replaceAll(':', '')}`;
}
