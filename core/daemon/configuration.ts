import { stat } from 'node:fs/promises';
import { basename, dirname, extname } from 'node:path';
import { watch } from 'chokidar';
import { pause } from '../clock.ts';
import { asTidemarkError } from '../error.ts';
import type { Daemon } from './context.ts';
import { tellSystemd } from './heartbeat.ts';
import type { Loop } from './loop.ts';
import type { ReconcileOutcome } from './reconcile.ts';

/** Editors write a file in several steps; this long after the last one it is read. */
const settleMs = 300;

/** Reads the configuration again whenever its files change or a person asks. What is wrong with it harms nothing. */
export function configurationLoop(daemon: Daemon): Loop {
  return {
    name: 'configuration',
    run: async (signal) => {
      const dirty = flag(signal);
      daemon.context.onReload?.(() => {
        tellSystemd(daemon.context, 'RELOADING=1');
        dirty.raise();
      });
      const watcher = await watchFiles(daemon.context.configurationPath, dirty.raise);
      dirty.raise(); // for what changed before the watch began
      try {
        while (await dirty.raised()) {
          await settle(daemon, dirty, signal);
          if (!signal.aborted) await readConfiguration(daemon, signal);
          tellSystemd(daemon.context, 'READY=1');
        }
      } finally {
        await watcher.close();
      }
    },
  };
}

/** Reconciles, keeps the outcome for status and metrics, and tells what is new about it. */
export async function readConfiguration(daemon: Daemon, signal: AbortSignal): Promise<void> {
  const { context, jobs, configuration, bell } = daemon;
  const outcome = await reconcile(daemon, signal);
  if (outcome === undefined) return;
  const before = configuration.current;
  const pendingChanges = outcome.state === 'pending' ? outcome.pendingChanges : 0;
  configuration.current = { state: outcome.state, text: outcome.text, at: context.clock.now(), pendingChanges };
  bell.ring();
  if (before.state === outcome.state && before.text === outcome.text) return;
  await jobs.emit(`config.${outcome.state}`, 'configuration', outcome.text);
}

/** A configuration that cannot be read or applied is a state to show, not a reason to stop. */
async function reconcile({ context }: Daemon, signal: AbortSignal): Promise<ReconcileOutcome | undefined> {
  try {
    return await context.reconcile(signal);
  } catch (thrown) {
    if (signal.aborted) return undefined;
    const error = asTidemarkError(thrown);
    if (error.code === 'CATALOG_UNREADABLE' || error.code === 'BUG') throw error;
    return { state: 'invalid', text: `${error.code}: ${error.message}` };
  }
}

interface Flag {
  raise(): void;
  /** Waits until it is raised and lowers it; false when the signal fires. */
  raised(): Promise<boolean>;
  /** Lowers it; true when it was raised. */
  lower(): boolean;
}

function flag(signal: AbortSignal): Flag {
  let up = false;
  let wake = () => {};
  signal.addEventListener('abort', () => wake(), { once: true });
  const lower = () => {
    const was = up;
    up = false;
    return was;
  };
  return {
    raise() {
      up = true;
      wake();
    },
    lower,
    async raised() {
      while (!up && !signal.aborted) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      return lower() && !signal.aborted;
    },
  };
}

async function settle({ context }: Daemon, dirty: Flag, signal: AbortSignal): Promise<void> {
  do await pause(context.clock, settleMs, signal);
  while (dirty.lower() && !signal.aborted);
}

/**
 * Watches the folder also when the configuration is one file: editors replace a file by renaming another over it, and
 * mounted secrets swap a link beside it.
 */
async function watchFiles(path: string, changed: () => void) {
  const isFolder = await stat(path).then(
    (found) => found.isDirectory(),
    () => extname(path) === '',
  );
  const folder = isFolder ? path : dirname(path);
  const concerns = (name: string) =>
    name.startsWith('..') || (isFolder ? /\.ya?ml$/.test(name) : name === basename(path));
  const ignored = (seen: string) => seen !== folder && !concerns(basename(seen));
  const watcher = watch(folder, { depth: 0, ignoreInitial: true, ignored, followSymlinks: true });
  watcher.on('all', changed);
  await new Promise<void>((resolve, reject) => watcher.once('ready', resolve).once('error', reject));
  return watcher;
}
