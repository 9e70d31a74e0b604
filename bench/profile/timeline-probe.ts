/**
 * Loaded into a profiled process (`--import`, with the file to write to as `?file=`): notes when what its main thread waits
 * for begins and ends, in milliseconds since the process began.
 */
import crypto from 'node:crypto';
import { tracingChannel } from 'node:diagnostics_channel';
import fs, { writeFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import timers from 'node:timers/promises';
import threads from 'node:worker_threads';
import type { Span } from './timeline.ts';

type Call = (...args: unknown[]) => unknown;

if (threads.isMainThread) {
  const spans: Span[] = [];
  const begin = (what: string) => {
    const fromMs = performance.now();
    return () => void spans.push({ fromMs, toMs: performance.now(), what });
  };
  spans.push({ fromMs: 0, toMs: performance.now(), what: 'Node’s own start' });
  for (const name of ['open', 'readdir', 'stat', 'readFile', 'mkdir', 'rename', 'link', 'unlink'])
    watch(fs.promises, name, (args) => `${name} ${String(args[0])}`, begin);
  watch(timers, 'setTimeout', (args) => `wait of ${String(args[0])} ms`, begin);
  watchScrypt(begin);
  watchThreads(begin);
  const ends = new WeakMap<object, () => void>();
  const url = (message: object) => String((message as { url?: string }).url);
  tracingChannel('module.import').subscribe({
    start: (message) => void ends.set(message, begin(`import ${url(message)}`)),
    asyncEnd: (message) => ends.get(message)?.(),
    end() {},
    asyncStart() {},
    error() {},
  });
  syncBuiltinESMExports();
  const file = new URL(import.meta.url).searchParams.get('file')!;
  process.once('exit', () => writeFileSync(file, JSON.stringify(spans)));
}

function watch(owner: object, name: string, title: (args: unknown[]) => string, begin: (what: string) => () => void) {
  const calls = owner as Record<string, Call>;
  const call = calls[name]!;
  calls[name] = (...args) => {
    const end = begin(title(args));
    const result = call.apply(owner, args) as Promise<unknown>;
    result.then(end, end);
    return result;
  };
}

function watchScrypt(begin: (what: string) => () => void): void {
  const scrypt = crypto.scrypt as Call;
  const watched: Call = (...args) => {
    const end = begin('scrypt');
    const done = args.pop() as Call;
    scrypt(...args, (...results: unknown[]) => {
      end();
      done(...results);
    });
  };
  crypto.scrypt = watched as typeof crypto.scrypt;
}

function watchThreads(begin: (what: string) => () => void): void {
  threads.Worker = class extends threads.Worker {
    constructor(...args: ConstructorParameters<typeof threads.Worker>) {
      super(...args);
      const name = args[1]?.name;
      this.once('message', begin(`start of thread ${name}, until it speaks`));
      this.once('exit', begin(`thread ${name}`));
    }
  };
}
