import type { ContentFacts } from '../engines/content-facts.js';
import type { DumpFormat, DumpScope, EngineKind, ServerFacts, ToolFacts } from '../engines/engine.js';

/** Bumped when a reader of an older number would misread. Readers refuse numbers that they do not know. */
export const MANIFEST_FORMAT_VERSION = 1;

export const COMPRESSIONS = ['zstd', 'gzip', 'none'] as const;
export type Compression = (typeof COMPRESSIONS)[number];

/**
 * The JSON beside an archive, written last: its presence is what makes the archive a backup. Everything that is needed to
 * trust and restore the archive without the catalog, and without Backstop. Snake case, because people and other programs
 * read it.
 */
export interface Manifest {
  format_version: typeof MANIFEST_FORMAT_VERSION;
  backup_id: string;
  attempt: number;
  created_at: string;
  completed_at: string;
  /** Why it was made: `manual`, `scheduled`, `pre_restore`. */
  trigger: string;
  description: string | null;
  engine: EngineKind;
  database: {
    /** The name under which it is registered, and its name on the server; that is empty when all databases there were dumped. */
    name: string;
    database_name: string;
    host: string;
    port: number;
  };
  server: ServerFacts;
  tool: ToolFacts;
  /** The version of Backstop that wrote this. */
  written_by: string;
  format: DumpFormat;
  options: DumpScope;
  compression: Compression;
  encryption: null;
  /** In restore order. The first is the data; a parallel dump may one day have several. */
  parts: ManifestPart[];
  content: ContentFacts;
}

export interface ManifestPart {
  role: 'data' | 'roles';
  /** Name of the object beside the manifest, without folders. */
  filename: string;
  plain: { size_bytes: number; sha256: string };
  stored: { size_bytes: number; sha256: string };
}
