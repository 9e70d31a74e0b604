import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { run, start, waitFor } from '../kit/process.ts';
import { tempFolder } from '../kit/temp.ts';
import { startMariadb } from '../servers/mariadb.ts';
import { inside, launcher } from './kit.ts';

test('what a killed restore left half is told, and no later backup of it is taken for a whole one', async (t) => {
  const server = await startMariadb(t);
  const folder = await tempFolder(t);
  await writeFile(
    join(folder, 'tidemark.yaml'),
    `sources:
  shop: { driver: mysql, socket: ${server.socket}, user: tidemark, password: "\${env:SHOP}" }
destinations:
  disk: { driver: local, path: ${join(folder, 'repository')}, password: "\${env:DISK}" }
plans:
  all: { source: shop, destinations: [disk], manual: true }
daemon: { catalog: "sqlite:catalog.db", listen: "127.0.0.1:0" }
`,
  );
  await server.query(
    `CREATE DATABASE shop; USE shop; CREATE TABLE orders (id INT PRIMARY KEY, v TEXT);
    INSERT INTO orders SELECT seq, REPEAT(MD5(seq), 8) FROM seq_1_to_200000;`,
  );
  const env = { SHOP: server.password, DISK: 'secret' };
  const tidemark = async (...args: string[]) => {
    const told = await inside([...args, '--json'], { cwd: folder, env });
    return { code: told.code, ...JSON.parse(told.stdout) };
  };
  const restore = ['restore', 'shop', '--into', 'shop', '--auto-approve'];
  assert.equal((await tidemark('apply', '--auto-approve')).code, 0);
  const whole = await tidemark('backup', 'all');
  assert.equal((await tidemark(...restore)).error.code, 'TARGET_NOT_EMPTY');
  assert.equal((await tidemark('status', '--check')).code, 0, 'nothing was touched');

  const killed = await start(t, launcher, [...restore, '--overwrite'], { cwd: folder, env });
  const isLoading = async () => {
    const rows = await server.query("SELECT 1 FROM information_schema.processlist WHERE info LIKE 'LOAD DATA%'");
    return rows.length > 0;
  };
  await waitFor('the load', isLoading, { everyMs: 5 });
  await killed.end('SIGKILL');

  const ran = await run(launcher, ['backup', 'all', '--json'], { cwd: folder, env }); // of this host: sees at once who died
  assert.equal(ran.code, 4, ran.stdout);
  assert.match(
    JSON.parse(ran.stdout).job.result.warnings.join('\n'),
    /a restore into this source did not end well \(job \w+\)/,
  );
  const status = await tidemark('status', '--check');
  assert.equal(status.code, 1);
  assert.match(status.sources[0].problems[0], /a restore into it did not end well \(job \w+\)/);

  const again = await tidemark(...restore, '--overwrite');
  assert.deepEqual([again.code, again.backup], [0, whole.backup], JSON.stringify(again));
  const [count] = await server.query('SELECT COUNT(*) AS n FROM shop.orders');
  assert.equal(Number(count!.n), 200_000);
  const next = await tidemark('backup', 'all');
  assert.deepEqual([next.code, next.job.result.warnings], [0, []]);
  assert.equal((await tidemark('status', '--check')).code, 0);
});
