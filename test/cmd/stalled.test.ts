import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { waitFor } from '../kit/process.ts';
import { smallDisk } from '../kit/small-disk.ts';
import { type StalledDisk, stalledDisk } from '../kit/stalled-disk.ts';
import { startDaemon, statusOf } from './daemon-kit.ts';
import { home, yamlFor } from './kit.ts';

interface Status {
  readonly sources: readonly { readonly plans: readonly { readonly suspended?: unknown }[] }[];
}

interface Job {
  readonly state: string;
  readonly startedAt?: string;
}

test('five destinations and a source on servers of files that are away: the sixth plan goes on, and the daemon is well', async (t) => {
  const at = await home(t);
  const away = [1, 2, 3, 4, 5].map((number) => join(at.folder, `away-${number}`));
  const often = 'schedule: "*/8 * * * * *"';
  await at.write(`sources:
  docs: { driver: files, paths: [${at.data}] }
  shares: { driver: files, paths: [${join(away[0]!, 'share')}, ${at.data}] }
destinations:
  disk: { driver: local, path: ${at.repository}, password: "\${file:${join(at.folder, 'password')}}" }
${away.map((path, n) => `  away-${n}: { driver: local, path: ${path}/r, password: "\${file:${join(at.folder, 'password')}}" }`).join('\n')}
plans:
  docs-often: { source: docs, destinations: [disk], ${often} }
  shares-often: { source: shares, destinations: [disk], ${often} }
${away.map((_, n) => `  away-${n}: { source: docs, destinations: [away-${n}], ${often} }`).join('\n')}
daemon: { catalog: "sqlite:catalog.db", listen: "127.0.0.1:0" }
`);
  assert.equal((await at.inside('apply', '--auto-approve')).code, 0);
  const disks: StalledDisk[] = [];
  for (const path of away) disks.push(await stalledDisk(t, path));
  const { address } = await startDaemon(t, at);
  const suspended = async () => {
    const { sources }: Status = await statusOf(at);
    return sources.flatMap(({ plans }) => plans).filter((plan) => plan.suspended !== undefined).length;
  };
  const patience = { timeoutMs: 60_000, everyMs: 500 };
  await waitFor('all that is away to be known as such', async () => (await suspended()) === 6, patience);
  const knownAt = Date.now();
  const runs = async (): Promise<Job[]> =>
    JSON.parse((await at.inside('jobs', '--plan', 'docs-often', '--json')).stdout).jobs;
  const isLater = ({ state, startedAt }: Job) => state === 'succeeded' && Date.parse(startedAt ?? '') > knownAt;
  await waitFor('a run that began then, beside calls that never return', async () => (await runs()).some(isLater));
  assert.equal((await fetch(`http://${address}/healthz`)).status, 200);
  assert.ok((await statusOf(at)).daemons.length > 0, 'verbs see that it lives');
  for (const disk of disks) await disk.end();
});

for (const by of ['a daemon', 'the verb itself'] as const) {
  test(`a full destination is told although the source has stalled, and nobody waits for it: run by ${by}`, async (t) => {
    const at = await home(t);
    await at.write(yamlFor(at.folder).replace(at.repository, join(await smallDisk(t, 64 * 2 ** 20), 'repository')));
    await at.inside('apply', '--auto-approve');
    for (let n = 0; n < 12; n++) {
      await mkdir(join(at.data, `${n}`));
      await writeFile(join(at.data, `${n}/large`), randomBytes(16 * 2 ** 20));
    }
    const disk = await stalledDisk(t, join(at.data, 'newest/away')); // looked into before the others
    if (by === 'a daemon') await startDaemon(t, at);
    const told = await at.tidemark('backup', 'docs-daily');
    assert.match(told.stderr, /DESTINATION_FULL/);
    await disk.end();
  });
}

test('a job whose process cannot even be killed is settled all the same', async (t) => {
  const at = await home(t);
  await at.inside('apply', '--auto-approve');
  const disk = await stalledDisk(t, join(at.data, 'away'), { unkillable: true });
  await startDaemon(t, at);
  await at.inside('backup', 'docs-daily', '--detach');
  const only = async (): Promise<Job & { id: string }> =>
    JSON.parse((await at.inside('jobs', '--json')).stdout).jobs[0];
  const { id } = await waitFor('the job to run', async () => ((await only()).state === 'running' ? only() : undefined));
  await waitFor('a call', () => disk.isCalled());
  await at.inside('cancel', id);
  await waitFor('its end', async () => (await only()).state === 'cancelled', { timeoutMs: 40_000, everyMs: 500 });
  await disk.end();
});
