import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import { openSqliteCatalog } from '../../core/catalog/index.ts';
import { apply, diff, observe } from '../../core/change/index.ts';
import { systemClock } from '../../core/clock.ts';
import { loadConfiguration } from '../../core/config/index.ts';
import { drivers } from '../../drivers/index.ts';
import { waitFor } from '../kit/process.ts';
import { childrenOf, startDaemon, statusOf } from './daemon-kit.ts';
import { type Home, home, yamlFor } from './kit.ts';

/** A server that accepts and then says nothing. */
async function stallingServer(t: TestContext): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => sockets.add(socket.on('error', () => {})));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

/** Applies without probes: as when a server was well at that time. */
async function applyUnprobed({ folder, configuration }: Home): Promise<void> {
  const { configuration: desired } = await loadConfiguration(configuration, drivers);
  await using catalog = await openSqliteCatalog(join(folder, 'catalog.db'), systemClock);
  const applied = await catalog.state.read();
  const observed = await observe(catalog, { desired: desired!.resources, applied: applied.resources });
  const input = { applied, observed, now: new Date() };
  const probe = async () => ({ identity: 'x' });
  await apply({
    changeSet: diff({ desired: desired!, ...input }),
    catalog,
    probes: { source: probe, destination: probe },
    clock: systemClock,
    signal: new AbortController().signal,
  });
}

test('a source that accepts and says nothing holds up no other plan, no cancel and no end', async (t) => {
  const at = await home(t, { plan: 'schedule: "*/2 * * * * *"' });
  assert.equal((await at.inside('apply', '--auto-approve')).code, 0);
  const password = `"\${file:${at.folder}/password}"`;
  const shop = `{ driver: mysql, host: 127.0.0.1, port: ${await stallingServer(t)}, user: x, password: ${password} }`;
  await at.write(
    yamlFor(at.folder, 'schedule: "*/2 * * * * *"')
      .replace('destinations:', `  shop: ${shop}\ndestinations:`)
      .replace('daemon:', '  shop-often: { source: shop, destinations: [disk], schedule: "* * * * * *" }\ndaemon:'),
  );
  await applyUnprobed(at);
  const daemon = await startDaemon(t, at);
  const manual = at.inside('backup', 'shop-often', '--json');
  const job = await waitFor('the job of the stalled source', async () => {
    const { jobs } = JSON.parse((await at.inside('jobs', '--state', 'running', '--json')).stdout);
    return jobs.find((one: { plan: string }) => one.plan === 'shop-often');
  });
  const askedMs = performance.now();
  assert.equal((await at.inside('cancel', job.id)).code, 0);
  assert.equal((await manual).code, 130, (await manual).stderr);
  assert.ok(performance.now() - askedMs < 10_000, `${performance.now() - askedMs} ms`);
  const before = JSON.parse((await at.inside('jobs', '--plan', 'docs-daily', '--json')).stdout).jobs.length;
  await waitFor('runs of the other plan', async () => {
    const { jobs } = JSON.parse((await at.inside('jobs', '--plan', 'docs-daily', '--json')).stdout);
    return jobs.length >= before + 2;
  });
  const endedMs = performance.now();
  await daemon.end('SIGTERM', 20_000);
  assert.ok(performance.now() - endedMs < 12_000, `${performance.now() - endedMs} ms`);
  assert.equal((await daemon.ended).code, 0);
});

test('a job process that does not let go is killed before the lease of its job ends', async (t) => {
  const at = await home(t, { plan: 'manual: true' });
  await writeFile(join(at.data, 'large'), randomBytes(64 * 1024 * 1024));
  const daemon = await startDaemon(t, at);
  const following = at.inside('backup', 'docs-daily');
  const child = await waitFor('the job process', async () => (await childrenOf(daemon.pid))[0]);
  process.kill(child, 'SIGSTOP');
  const path = join(at.folder, 'catalog.db');
  using holder = new DatabaseSync(path, { timeout: 5_000 });
  holder.exec('begin immediate'); // no lease can be renewed
  await waitFor('the end of the process', async () => (await childrenOf(daemon.pid)).length === 0, {
    timeoutMs: 40_000,
  });
  const killedAt = new Date();
  const row = holder.prepare("select leaseUntil from job where state = 'running'").get() as { leaseUntil: number };
  assert.ok(killedAt.getTime() < row.leaseUntil, `${killedAt.getTime()} is not before ${row.leaseUntil}`);
  holder.exec('rollback');
  await following;
});

test('a watch of the files that fails again and again ends nothing, and changes are still read', async (t) => {
  const at = await home(t, { plan: 'manual: true' });
  const conf = join(at.folder, 'conf');
  await mkdir(conf);
  await writeFile(join(conf, 'a.yaml'), await readFile(at.configuration));
  await rm(at.configuration);
  const starved = 'echo 2 > /proc/sys/user/max_inotify_watches; exec "$@"'; // for the folder and one file
  const through = ['unshare', '--user', '--map-root-user', 'sh', '-c', starved, 'sh'];
  const daemon = await startDaemon(t, at, { through, args: ['--config', conf] });
  for (const name of ['b', 'c', 'd']) {
    const plan = `plans:\n  ${name}: { source: docs, destinations: [disk], manual: true }\n`;
    await writeFile(join(conf, `${name}.yaml`), plan);
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
  await waitFor('the new plans', async () => {
    const text = JSON.stringify((await statusOf(at, conf)).sources);
    return ['b', 'c', 'd'].every((name) => text.includes(`"${name}"`));
  });
  assert.match(daemon.output(), /the configuration cannot be watched/);
  await daemon.end('SIGTERM');
  assert.equal((await daemon.ended).code, 0);
});
