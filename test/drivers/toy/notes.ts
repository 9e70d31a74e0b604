import type {
  BackupReader,
  BackupRequest,
  BackupResult,
  BackupSink,
  Node,
  RestoreRequest,
  RestoreResult,
  SourceDriver,
  SourceSession,
} from '../../../core/driver/index.ts';
import { TidemarkError } from '../../../core/error.ts';

/** What the toy source protects: notes by their title. It stands for a server. */
export type Notes = Map<string, string>;

/** A source of notes. `shelves` are the servers that it can reach, by name. */
export function notesDriver(shelves: ReadonlyMap<string, Notes>): SourceDriver {
  return {
    kind: 'notes',
    schema: {
      type: 'object',
      description: 'Notes on a shelf.',
      properties: { shelf: { type: 'string', description: 'Name of the shelf.', examples: ['kitchen'] } },
      required: ['shelf'],
      additionalProperties: false,
    },
    capabilities: { backupTypes: ['logical'], selection: 'none' },
    open: async ({ shelf }, { clock }) => session(String(shelf), shelves, () => clock.now()),
  };
}

function session(shelf: string, shelves: ReadonlyMap<string, Notes>, now: () => Date): SourceSession {
  const notes = () => {
    const found = shelves.get(shelf);
    if (found === undefined) throw new TidemarkError('SOURCE_UNREACHABLE', `there is no shelf ${shelf}`);
    return found;
  };
  return {
    probe: async () => ({ version: 'notes 1', identity: `shelf ${shelf}`, problems: [] }),
    backup: (request, sink) => backup(notes(), shelf, now(), request, sink),
    restore: (request, reader) => restore(notes(), request, reader),
    [Symbol.asyncDispose]: async () => {},
  };
}

async function backup(
  notes: Notes,
  shelf: string,
  at: Date,
  { progress }: BackupRequest,
  sink: BackupSink,
): Promise<BackupResult> {
  const root: Node[] = [];
  let bytes = 0;
  for (const [title, text] of notes) {
    const content = await sink.content(Buffer.from(text));
    root.push({ name: title, type: 'file', mode: 0o600, ...metadata(at), content });
    progress.add({ items: 1, bytes: content.sizeBytes });
    bytes += content.sizeBytes;
  }
  const facts = {
    flavour: 'notes',
    version: '1',
    identity: `shelf ${shelf}`,
    consistentPoint: { time: at.toISOString() },
    totals: { items: notes.size, bytes },
    contents: [{ shelf, notes: notes.size }],
    warnings: [],
    partial: false,
  };
  return { root, paths: [`/${shelf}`], facts };
}

async function restore(notes: Notes, { overwrite }: RestoreRequest, reader: BackupReader): Promise<RestoreResult> {
  if (notes.size > 0 && !overwrite) throw new TidemarkError('TARGET_NOT_EMPTY', 'the shelf has notes');
  let bytes = 0;
  let items = 0;
  for (const node of await reader.tree(reader.rootTree)) {
    if (node.content === undefined) continue; // the manifest's folder
    const chunks: Uint8Array[] = [];
    for await (const chunk of reader.read(node.content)) chunks.push(chunk);
    notes.set(node.name, Buffer.concat(chunks).toString());
    bytes += node.content.sizeBytes;
    items += 1;
  }
  return { items, bytes, warnings: [], notRestored: [], partial: false };
}

function metadata(at: Date) {
  const timeNs = BigInt(at.getTime()) * 1_000_000n;
  return { mtimeNs: timeNs, atimeNs: timeNs, ctimeNs: timeNs, uid: 0, gid: 0 };
}
