import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Owner } from '../../../kit/scope.ts';
import { type MariadbServer, startMariadb } from '../../../servers/mariadb.ts';
import { TestRepository } from '../repository.ts';
import { watchStatements } from '../statement-proxy.ts';
import { runNow } from './run-now.ts';

const kinds = {
  view: {
    make: [1, 2, 3].map((at) => `CREATE VIEW x${at} AS SELECT ${at} AS value`).join('; '),
    swap: 'RENAME TABLE x1 TO x0, x3 TO x1, x0 TO x3',
    values: 'SELECT value FROM x1 UNION SELECT value FROM x2 UNION SELECT value FROM x3',
  },
  sequence: {
    make: [1, 2, 3].map((at) => `CREATE SEQUENCE x${at} START WITH ${at} MAXVALUE 9`).join('; '),
    swap: 'RENAME TABLE x1 TO x0, x3 TO x1, x0 TO x3',
    values: 'SELECT start_value FROM x1 UNION SELECT start_value FROM x2 UNION SELECT start_value FROM x3',
  },
  event: {
    make: [1, 2, 3].map((at) => `CREATE EVENT x${at} ON SCHEDULE EVERY ${at} YEAR DO DO ${at}`).join('; '),
    swap: 'ALTER EVENT x1 RENAME TO x0; ALTER EVENT x3 RENAME TO x1; ALTER EVENT x0 RENAME TO x3',
    values: "SELECT DISTINCT interval_value FROM information_schema.events WHERE event_schema = 'shop'",
  },
};

for (const [kind, { make, swap, values }] of Object.entries(kinds)) {
  const reading = (at: number) => `SHOW CREATE ${kind.toUpperCase()} \`shop\`.\`x${at}\``;

  test(`each ${kind} is in the backup when two change names between their readings`, async (t) => {
    const server = await makeServer(t, make);
    const repository = await TestRepository.make(t);
    let swaps = 0;
    const watched = await watchStatements(t, server, (text) => {
      if (text.includes(reading(2)) && ++swaps === 1) runNow(server, `USE shop; ${swap}`);
    });
    const { id, result } = await repository.backup(watched);
    assert.ok(swaps >= 1);
    assert.equal(result.facts.partial, false, result.facts.warnings.join('; '));
    await server.query('DROP DATABASE shop');
    await repository.restore(id, server);
    assert.equal((await server.query(values, 'shop')).length, 3);
  });

  test(`a ${kind} is proven while DDL waits, or named, where the renaming does not end`, async (t) => {
    for (const mayPause of [true, false]) {
      const server = await makeServer(t, make);
      const other = await server.connect();
      const repository = await TestRepository.make(t);
      let isPaused = false;
      const watched = await watchStatements(t, server, (text) => {
        if (text.includes('BACKUP STAGE')) isPaused = text.includes('BLOCK_DDL') && mayPause;
        if (!text.includes(reading(2)) || isPaused) return;
        if (!mayPause) other.query('BACKUP STAGE START').catch(() => {}); // who asks for the pause waits in vain
        runNow(server, `USE shop; ${swap}`);
      });
      const { facts } = (await repository.backup(watched)).result;
      await other.end();
      assert.equal(facts.partial, !mayPause, facts.warnings.join('; '));
      if (!mayPause)
        assert.match(facts.warnings.join('; '), new RegExp(`may be that of another of these: ${kind} shop.x1`));
    }
  });
}

async function makeServer(t: Owner, make: string): Promise<MariadbServer> {
  const server = await startMariadb(t, { args: ['--event-scheduler=ON'] });
  await server.query(`CREATE DATABASE shop; USE shop; ${make}`);
  return server;
}
