import { stat } from 'node:fs/promises';
import { basename, dirname, extname } from 'node:path';
import { watch } from 'chokidar';
import { pause } from '../clock.ts';
import { asTidemarkError } from '../error.ts';
import type { Daemon, ReconcileOutcome } from './context.ts';
import { tellSystemd } from './heartbeat.ts';
import { goRound, type Loop } from './loop.ts';

/** Editors write a file in several steps; this long after the last one it is read. */
const settleMs = 300;
/** What could not be read or applied is tried again after this: a secret may lie outside of what is watched. */
const retryMs = 60_000;
/** How long to wait before files are watched again whose watch failed. */
const rewatchMs = 10_000;
const name = 'configuration';

/**
 * Reads the configuration again when its files change, when somebody applied something, and when a person asks. What is
 * wrong with it harms nothing.
 */
export function configurationLoop(daemon: Daemon): Loop {
  return {
    name,
    run: async (signal) => {
      const wanted = { now: true };
      const want = () => {
        wanted.now = true;
        daemon.bell.ring();
      };
      daemon.context.onReload?.(want);
      const ended = new AbortController();
      const watching = keepWatching(daemon, want, AbortSignal.any([signal, ended.signal]));
      try {
        await goRound(daemon, { name, everyMs: 5_000, signal }, () => readIfWanted(daemon, wanted, signal));
      } finally {
        ended.abort();
        await watching;
      }
    },
  };
}

/** What a daemon finds new at its start may be slow to answer, or silent; the rest waits no longer for it than this. */
const patienceMs = 30_000;

/**
 * Resolves when the configuration was read for the first time, so that schedules are those of today and not those of before
 * the daemon was down; or when that takes too long, or the signal fires.
 */
export async function firstReading({ context, configuration, bell }: Daemon, signal: AbortSignal): Promise<void> {
  const untilMs = context.clock.monotonicMs() + patienceMs;
  for (;;) {
    const [rings, leftMs] = [bell.rings(), untilMs - context.clock.monotonicMs()];
    if (configuration.serial !== undefined || leftMs <= 0 || signal.aborted) return;
    await bell.wait(leftMs, rings);
  }
}

async function readIfWanted(daemon: Daemon, wanted: { now: boolean }, signal: AbortSignal): Promise<void> {
  const { context, configuration } = daemon;
  if (configuration.serial === undefined) return readConfiguration(daemon, signal);
  const retry = configuration.retryAtMs !== undefined && context.clock.monotonicMs() >= configuration.retryAtMs;
  const { serial } = await context.catalog.state.read();
  if (!wanted.now && !retry && serial === configuration.serial) return;
  tellSystemd(context, 'RELOADING=1');
  do {
    wanted.now = false;
    await pause(context.clock, settleMs, signal);
  } while (wanted.now && !signal.aborted);
  try {
    if (!signal.aborted) await readConfiguration(daemon, signal);
  } catch (thrown) {
    wanted.now = true;
    throw thrown;
  }
  tellSystemd(context, 'READY=1');
}

/** Reconciles, keeps the outcome for status and metrics, and tells what is new about it. */
async function readConfiguration(daemon: Daemon, signal: AbortSignal): Promise<void> {
  const { context, jobs, configuration, bell } = daemon;
  const outcome = await reconcile(daemon, signal);
  if (outcome === undefined) return;
  const before = configuration.current;
  const pendingChanges = outcome.state === 'pending' ? outcome.pendingChanges : 0;
  configuration.current = { state: outcome.state, text: outcome.text, at: context.clock.now(), pendingChanges };
  configuration.serial = (await context.catalog.state.read()).serial;
  const retry = outcome.state === 'invalid' || (outcome.state === 'pending' && outcome.retry === true);
  configuration.retryAtMs = retry ? context.clock.monotonicMs() + retryMs : undefined;
  bell.ring();
  if (before.state === outcome.state && before.text === outcome.text) return;
  await jobs.emit(`config.${outcome.state}`, name, outcome.text);
}

/** A configuration that cannot be read or applied is a state to show, not a reason to stop. */
async function reconcile(
  { context, health, turns }: Daemon,
  signal: AbortSignal,
): Promise<ReconcileOutcome | undefined> {
  try {
    return await context.reconcile(signal, () => health.pulse(name), turns);
  } catch (thrown) {
    if (signal.aborted) return undefined;
    const error = asTidemarkError(thrown);
    if (error.code.startsWith('CATALOG_')) throw error;
    if (error.kind === 'bug') context.logger.error({ err: error }, 'a defect of tidemark keeps the configuration back');
    return { state: 'invalid', text: `${error.code}: ${error.message}` };
  }
}

/**
 * Watches the files until the signal fires. A watch that fails, as when the kernel has no more of them, is told and begun
 * again after a while. Every beginning counts as a change, so that nothing stays unread for longer than that.
 */
async function keepWatching({ context }: Daemon, changed: () => void, signal: AbortSignal): Promise<void> {
  for (let level: 'warn' | 'debug' = 'warn'; !signal.aborted; level = 'debug') {
    const failure = await watchFiles(context.configurationPath, changed, signal);
    if (signal.aborted) return;
    changed();
    const text = `the configuration cannot be watched; it is read every ${rewatchMs / 1000} s`;
    context.logger[level]({ err: failure }, text);
    await pause(context.clock, rewatchMs, signal);
  }
}

/**
 * Watches the folder also when the configuration is one file: editors replace a file by renaming another over it, and
 * mounted secrets swap a link beside it. Ends when the signal fires, or gives the first error; there may be more of them.
 */
async function watchFiles(path: string, changed: () => void, signal: AbortSignal): Promise<unknown> {
  const folder = (await isFolder(path)) ? path : dirname(path);
  const concerns = (file: string) =>
    file.startsWith('..') || (folder === path ? /\.ya?ml$/.test(file) : file === basename(path));
  const ignored = (seen: string) => seen !== folder && !concerns(basename(seen));
  const watcher = watch(folder, { depth: 0, ignoreInitial: true, ignored });
  try {
    return await new Promise((resolve) => {
      watcher.on('error', resolve).on('all', changed).once('ready', changed);
      if (signal.aborted) resolve(undefined);
      signal.addEventListener('abort', () => resolve(undefined), { once: true });
    });
  } finally {
    const closed = watcher.close();
    watcher.on('error', () => {}); // closing takes the listeners away, and an error that comes later would end the process
    await closed;
  }
}

/** One that is not there yet is taken for what its name looks like. */
async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch {
    return extname(path) === '';
  }
}
