import { hostname } from 'node:os';
import type {
  BackupReader,
  BackupRequest,
  BackupSink,
  DriverContext,
  DriverProblem,
  RestoreRequest,
  RestoreResult,
  SourceDriver,
  SourceProbe,
  SourceSession,
} from '../../core/driver/index.ts';
import { withMachine } from '../../core/driver/index.ts';
import { TidemarkError } from '../../core/error.ts';
import schema from '../../schemas/source.files.json' with { type: 'json' };
import { pathRelations } from './pattern-relations.ts';
import { type FileSettings, fileSettings } from './settings.ts';

/** Folders and files of this machine. What it does is loaded when it is done: the driver itself is asked by every verb. */
export const files: SourceDriver = {
  kind: 'files',
  schema,
  capabilities: { backupTypes: ['snapshot'], selection: 'paths' },
  pathSettings: ['paths'],
  restoredPaths: ({ contents }) => contents.map(({ path }) => String(path)),
  patterns: pathRelations,
  async open(settings, context) {
    return new FilesSession(fileSettings(settings), context);
  },
  async openFolder(folder, context) {
    return new FilesSession(fileSettings({ paths: [folder] }), context);
  },
};

class FilesSession implements SourceSession {
  readonly #settings: FileSettings;
  readonly #context: DriverContext;

  constructor(settings: FileSettings, context: DriverContext) {
    this.#settings = settings;
    this.#context = context;
  }

  async probe(): Promise<SourceProbe> {
    const { checkMounts, findPaths } = await import('./backup/source-paths.ts');
    const { mountOf } = await import('./system/mount.ts');
    await checkMounts(this.#settings, this.#context.subject);
    const { found, missing } = await findPaths(this.#settings.paths);
    if (found.length === 0) {
      const message = `none of the paths exists: ${this.#settings.paths.join(', ')}`;
      throw new TidemarkError('SOURCE_UNREACHABLE', message, { subject: this.#context.subject });
    }
    const fileSystems = new Set(await Promise.all(found.map(async ({ path }) => (await mountOf(path)).fileSystem)));
    const problems = missing.map(
      ({ path, reason }): DriverProblem => ({
        severity: 'warning',
        summary: `${path} cannot be backed up: ${reason}`,
        hint: 'Correct the path, or let tidemark run as a user who may read it.',
      }),
    );
    const version = `${found.length} ${found.length === 1 ? 'path' : 'paths'} on ${[...fileSystems].join(', ')}`;
    return { version, identity: await this.#identity(), problems };
  }

  async backup(request: BackupRequest, sink: BackupSink) {
    const { backUpFiles } = await import('./backup/backup.ts');
    const { subject, clock } = this.#context;
    return backUpFiles({ settings: this.#settings, identity: await this.#identity(), subject, clock }, request, sink);
  }

  async restore(request: RestoreRequest, backup: BackupReader): Promise<RestoreResult> {
    const { restoreFiles } = await import('./restore/restore.ts');
    return restoreFiles(request, backup, this.#context.subject);
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  async #identity(): Promise<string> {
    const { machine } = await import('./system/machine.ts');
    return withMachine(`${hostname()}:${[...this.#settings.paths].sort().join(',')}`, await machine());
  }
}
