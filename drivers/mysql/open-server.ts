import type { DriverContext, SourceSession } from '../../core/driver/index.ts';
import { backupLogical } from './dump/backup.ts';
import { restoreLogical } from './load/restore.ts';
import { probeServer } from './probe.ts';
import { type MysqlSettings, resolveAddress } from './settings.ts';

/** Connects when first used. */
export function openServer(settings: MysqlSettings, context: DriverContext): SourceSession {
  const parallel = settings.parallel ?? 4;
  const { clock } = context;
  return {
    probe: async () => probeServer(await resolveAddress(settings, context)),
    backup: async (request, sink) =>
      backupLogical({ address: await resolveAddress(settings, context), clock, parallel }, request, sink),
    restore: async (request, backup) =>
      restoreLogical({ address: await resolveAddress(settings, context), parallel }, request, backup),
    [Symbol.asyncDispose]: async () => {},
  };
}
