import type { SourceDriver } from '../../core/driver/index.ts';
import schema from '../../schemas/source.mysql.json' with { type: 'json' };
import { holdsNothing } from './inventory/holds-nothing.ts';
import { tableRelations } from './inventory/pattern-relations.ts';
import type { MysqlSettings } from './settings.ts';

/** MySQL, MariaDB and Percona servers. */
export const mysql: SourceDriver = {
  kind: 'mysql',
  schema,
  capabilities: { backupTypes: ['logical'], selection: 'tables' },
  patterns: tableRelations,
  holdsNothing,
  async open(settings, context) {
    // mysql2 takes time to load, which `tidemark status` and others that open no source do not have.
    const { openServer } = await import('./open-server.ts');
    return openServer(settings as unknown as MysqlSettings, context);
  },
};
