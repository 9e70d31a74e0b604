import type { Clock } from '../../../core/clock.ts';
import type { BackupRequest, BackupResult, BackupSink } from '../../../core/driver/index.ts';
import { TidemarkError } from '../../../core/error.ts';
import type { FileSettings } from '../settings.ts';
import { emptied } from './emptied.ts';
import { enteredMounts, mountChanges } from './entered-mounts.ts';
import { ScanSummary } from './scan-summary.ts';
import type { ScanResult, ScanSetup, ScanTask } from './scan-task.ts';
import { moduleUrl } from './scan-thread.ts';
import { SecondLook } from './second-look.ts';
import { Selection } from './selection.ts';
import { checkMounts, type FoundPaths, findPaths, pathTree } from './source-paths.ts';
import { TreeWalk } from './tree-walk.ts';
import { type UnmountedOptions, unmounted } from './unmounted.ts';
import { WalkedFolders } from './walked-folders.ts';

export interface BackupContext {
  readonly settings: FileSettings;
  readonly identity: string;
  readonly subject: string;
  readonly clock: Clock;
}

/**
 * Stores the paths in restic's layout: folders from the root of the file system down to each path, with their own
 * metadata. What cannot be read, and an include that matches nothing, is named in `warnings` and makes the backup
 * partial. So does what moved while the backup ran and was not read, and a path of the source, or a mount point below it, that is empty all at once. A
 * file that changes while it is read is read up to three times, a large one twice, and named; one more reading tells whether
 * what was stored is of one moment, or torn, which makes the backup partial, too.
 */
export async function backUpFiles(
  { settings, identity, subject, clock }: BackupContext,
  request: BackupRequest,
  sink: BackupSink,
): Promise<BackupResult> {
  request.progress.step('reading files');
  await checkMounts(settings, subject);
  const paths = await findPaths(settings.paths);
  if (paths.found.length === 0) {
    throw new TidemarkError('SOURCE_UNREACHABLE', `none of the paths exists: ${settings.paths.join(', ')}`, {
      subject,
    });
  }
  const { oneFileSystem } = settings;
  const start = clock.now();
  const summary = new ScanSummary(paths, request.include);
  const setup: ScanSetup = {
    exclude: [...settings.exclude, ...request.exclude],
    include: request.include,
    parentStartedAt: request.parent?.manifest && new Date(request.parent.manifest.startedAt),
  };
  const selection = new Selection(setup);
  const mountsNow = async () => (oneFileSystem ? [] : enteredMounts(paths.found, selection));
  const before = await mountsNow();
  await using threads = await sink.threads<ScanSetup, ScanTask, ScanResult>(moduleUrl, setup);
  const walked = new WalkedFolders();
  const walk = new TreeWalk({ threads, sink, request, summary, walked, oneFileSystem });
  const root = await walk.root(pathTree(paths.found));
  const { signal } = request;
  const look = new SecondLook({
    threads,
    signal,
    walked,
    oneFileSystem,
    startedAt: start,
    vanished: summary.vanished,
    selection,
  });
  for (const problem of await look.run(paths.found)) summary.problem(problem);
  const after = await mountsNow();
  for (const problem of mountChanges(before, after)) summary.problem(problem);
  for (const { source, point } of [...before, ...after]) summary.mounted(source, point);
  const sources = oneFileSystem ? [] : paths.found;
  if (!settings.mayBeEmpty)
    await nameEmptied(summary, paths, { sources, selection, parent: request.parent, before, after });
  return {
    root,
    paths: paths.found.map(({ path }) => path),
    facts: {
      flavour: 'files',
      version: '1',
      identity,
      consistentPoint: { time: start.toISOString() },
      ...summary.facts,
    },
  };
}

async function nameEmptied(
  summary: ScanSummary,
  { found, missing }: FoundPaths,
  options: Omit<UnmountedOptions, 'emptied'>,
): Promise<void> {
  const gone = missing.map(({ was }) => was);
  const empty = [...found.filter((source) => summary.isEmpty(source)), ...gone];
  const named = options.parent ? await emptied(empty, options.parent) : [];
  for (const one of named) summary.emptied(one);
  const above = new Set(named.map(({ source }) => source));
  const sources = [...options.sources, ...gone.filter((source) => above.has(source))];
  for (const one of await unmounted({ ...options, sources, emptied: above })) summary.unmounted(one);
}
