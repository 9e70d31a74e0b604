import { reasonOfAbort, unlessAborted } from '../../core/abort.ts';
import type { DriverContext, Run, SourceSession } from '../../core/driver/index.ts';
import { backupLogical } from './dump/backup.ts';
import { restoreLogical } from './load/restore.ts';
import { probeServer } from './probe.ts';
import { type MysqlSettings, resolveAddress } from './settings.ts';

/** Connects when first used. */
export function openServer(settings: MysqlSettings, context: DriverContext): SourceSession {
  const parallel = settings.parallel ?? 4;
  const { clock } = context;
  const allowMissing = settings.allowMissing ?? [];
  const resolve = ({ signal }: Pick<Run, 'signal'>) => unlessAborted(resolveAddress(settings, context), signal);
  return {
    probe: (signal) => reasonOfAbort(signal, async () => probeServer(await resolve({ signal }), allowMissing, signal)),
    backup: (request, sink) =>
      reasonOfAbort(request.signal, async () =>
        backupLogical({ address: await resolve(request), clock, parallel, allowMissing }, request, sink),
      ),
    restore: async (request, backup) => restoreLogical({ address: await resolve(request), parallel }, request, backup),
    [Symbol.asyncDispose]: async () => {},
  };
}
