import type { DriverContext, SourceDriver, SourceSession } from '../../core/driver/index.ts';
import schema from '../../schemas/source.mysql.json' with { type: 'json' };
import { backupLogical } from './backup.ts';
import { probeServer } from './probe.ts';
import { restoreLogical } from './restore.ts';
import { type MysqlSettings, resolveAddress } from './settings.ts';

/** MySQL, MariaDB and Percona servers. */
export const mysql: SourceDriver = {
  kind: 'mysql',
  schema,
  capabilities: { backupTypes: ['logical'], selection: 'tables' },
  open: async (settings, context) => openServer(settings as unknown as MysqlSettings, context),
};

function openServer(settings: MysqlSettings, context: DriverContext): SourceSession {
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
