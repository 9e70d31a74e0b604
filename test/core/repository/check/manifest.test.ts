import assert from 'node:assert/strict';
import { stat } from 'node:fs/promises';
import { test } from 'node:test';
import type { Manifest, Node } from '../../../../core/driver/index.ts';
import { TidemarkError } from '../../../../core/error.ts';
import { idOf, toHex } from '../../../../core/repository/format/blob-id.ts';
import type { Repository } from '../../../../core/repository/index.ts';
import type { SnapshotChange } from '../../../../core/repository/repair/rewrite-snapshots.ts';
import { faultyStore } from '../../../kit/faulty-store.ts';
import {
  coded,
  fileNode,
  folderNode,
  newPlace,
  noProgress,
  noSignal,
  type Place,
  randomBytes,
  readBackup,
  reopen,
} from '../repository-kit.ts';
import { partsOf } from '../walk/parts-of.ts';
import { check, filesIn, flip, told, work } from './check-kit.ts';

const id = '01K00000000000000000000000';
const other = '01K00000000000000000000002';

const good: Manifest = {
  format: 1,
  tidemark: '1',
  id,
  plan: 'daily',
  source: 'docs',
  driver: 'files',
  type: 'snapshot',
  selection: { include: ['/test'], exclude: [] },
  startedAt: '2026-01-01T00:00:00Z',
  endedAt: '2026-01-01T00:01:00Z',
  flavour: 'linux',
  version: '6',
  identity: 'host',
  consistentPoint: { time: '2026-01-01T00:00:00Z' },
  totals: { items: 1, bytes: 1000 },
  contents: [],
  warnings: [],
  partial: false,
};

/** What stands in the manifest's place, and what a check says of it; undefined: no manifest. */
const manifests: Record<string, { text: string | undefined; says: RegExp }> = {
  'is missing': { text: undefined, says: /it has no manifest/ },
  'is no JSON': { text: '{"format": 1, "id"', says: /the manifest of the backup is not JSON/ },
  'lacks what every manifest has': { text: '{"format": 1}', says: /lacks what every manifest has/ },
  'is of another backup': {
    text: JSON.stringify({ ...good, id: `${id.slice(0, -1)}1` }),
    says: /its manifest is that of/,
  },
  'is of another snapshot': {
    text: JSON.stringify({ ...good, consistentPoint: { time: '2025-01-01T00:00:00Z' } }),
    says: /its manifest is that of another snapshot, of 2025/,
  },
};

for (const [how, { text, says }] of Object.entries(manifests)) {
  test(`a manifest that ${how} is found, and a repair takes it from the catalog where that has it`, async (t) => {
    const place = await newPlace(t);
    const snapshot = await backUp(place, text);
    await backUp(place, JSON.stringify({ ...good, id: other }), other);
    const report = await check(place.repository);
    const [line, ...more] = told(report);
    assert.deepEqual([report.verdict, report.hurtBackups, more], ['damaged', 1, []]);
    assert.match(line!, new RegExp(`^manifest-damaged snapshots/${snapshot}: .*${says.source}`));

    const [change] = await repair(place.repository, async (of) => (of === snapshot ? good : undefined));
    assert.deepEqual([change?.id, change?.lost], [snapshot, []]);
    const repository = await reopen(place.store);
    assert.deepEqual(told(await check(repository, { read: { share: 1 } })), []);
    await using backup = await readBackup(repository, change!.by!);
    const { warnings, ...manifest } = backup.manifest;
    const { warnings: _, ...expected } = good;
    assert.deepEqual(manifest, expected);
    assert.match(warnings.join(), /^repaired: its manifest was .* the catalog had$/);
    assert.deepEqual((await backup.tree(backup.rootTree)).map(({ name }) => name).sort(), ['.tidemark', 'one.bin']);
    assert.deepEqual(await repair(repository, async () => undefined), []);
    await place.restic(['check', '--read-data']);
  });
}

test('a manifest that nobody has any more is left as it is and said; another backup’s is not put in its place', async (t) => {
  const place = await newPlace(t);
  const snapshot = await backUp(place, undefined);
  for (const manifest of [undefined, { ...good, id: 'other' }]) {
    assert.deepEqual(await repair(place.repository, async () => manifest), []);
    const { left } = await planned(place.repository, async () => manifest);
    assert.match(
      left.join(),
      new RegExp(`^snapshots/${snapshot} of backup ${id}: it has no manifest, .*restic forget`),
    );
  }
  assert.equal((await check(place.repository)).verdict, 'damaged');
  await place.restic(['forget', /restic forget (\w+)/.exec((await planned(place.repository)).left.join())![1]!]);
  assert.deepEqual(
    told(await check(place.repository)).map((text) => text.split(' ')[0]),
    ['snapshots-none'],
    'nobody can tell that it was meant',
  );
});

test('whose tags were taken away with restic is a backup of ours still: what it lost is in its manifest', async (t) => {
  const place = await newPlace(t);
  await backUp(place, JSON.stringify(good), id, 'lost', 1_000_000);
  await place.restic(['tag', '--set', 'mine', 'latest']);
  for (const pack of await filesIn(place.folder, 'data')) if ((await stat(pack)).size > 500_000) await flip(pack, 100);
  const repository = await reopen(place.store);
  const [change] = await repair(repository, async () => undefined);
  await using backup = await readBackup(await reopen(place.store), change!.by!);
  assert.equal(backup.manifest.partial, true);
  assert.match(backup.manifest.warnings.join(), /lost for damage .*one\.bin/);
});

test('a manifest that cannot be read when its backup is rewritten is not left to call that whole one day', async (t) => {
  const place = await newPlace(t);
  await backUp(place, undefined, 'other', 'lost', 1_000_000);
  const text = JSON.stringify(good);
  await backUp(place, text, id, 'lost', 1_000_000);
  for (const pack of await filesIn(place.folder, 'data')) if ((await stat(pack)).size > 500_000) await flip(pack, 100);
  const { index } = await partsOf(place.store);
  const pack = toHex(index.find('data', idOf(Buffer.from(text)))!.pack);
  const plan = await planned(place.repository);
  const error = new TidemarkError('REPOSITORY_CORRUPT', 'EIO');
  const fault = { method: 'get', match: new RegExp(pack), kind: 'error', error } as const;
  const repository = await reopen(faultyStore(t, place.store, fault));
  await using lock = await repository.lock('exclusive', noSignal);
  const options = { manifestOf: async () => undefined, onChange: async () => {} };
  await assert.rejects(repository.repair(lock, plan, options, work), coded('CHANGE_STALE', /the manifest of snapshot/));
});

test('two snapshots of one backup, and a cheap key, are notes: nothing is called damaged', async (t) => {
  const place = await newPlace(t);
  for (let count = 0; count < 2; count++) await backUp(place, JSON.stringify(good), id, `${count}`);
  const report = await check(place.repository);
  assert.deepEqual([report.verdict, report.counts.damage], ['good', 0]);
  const notes = report.findings.map(({ kind, severity, text }) => `${severity} ${kind}: ${text}`).sort();
  assert.equal(notes.length, 2, notes.join('\n'));
  assert.match(notes[0]!, new RegExp(`^note backup-twice: 2 snapshots are of one backup, ${id}$`));
  assert.match(notes[1]!, /^note key-weak: its password is cheap to guess .*: scrypt with N \d+, r \d+, p \d+$/);
});

/** A backup of one file with this for a manifest. Gives its snapshot. */
async function backUp(
  { repository }: Place,
  text: string | undefined,
  backup = id,
  seed = backup,
  sizeBytes = 1_000,
): Promise<string> {
  await using lock = await repository.lock('shared', noSignal, 'write');
  await using writing = await repository.write(lock, { threads: 1, progress: noProgress, signal: noSignal });
  const nodes: Node[] = [fileNode('one.bin', await writing.content(randomBytes(seed, sizeBytes)))];
  if (text !== undefined) {
    const file = fileNode('manifest.json', await writing.content(Buffer.from(text)));
    nodes.unshift(folderNode('.tidemark', await writing.tree([file])));
  }
  const tags = ['tidemark', `id:${backup}`, 'plan:daily', 'type:snapshot'];
  const about = { paths: ['/test'], hostname: 'test', username: 'test', programVersion: 'test', tags };
  const time = new Date(1_767_225_600_000).toISOString();
  return await writing.commit({ ...about, time, tree: await writing.tree(nodes) }, noSignal);
}

async function repair(
  repository: Repository,
  manifestOf: (snapshot: string) => Promise<Manifest | undefined>,
): Promise<readonly SnapshotChange[]> {
  const plan = await planned(repository, manifestOf);
  await using lock = await repository.lock('exclusive', noSignal);
  return await repository.repair(lock, plan, { manifestOf, onChange: async () => {} }, work);
}

async function planned(repository: Repository, manifestOf?: (snapshot: string) => Promise<Manifest | undefined>) {
  await using _ = await repository.lock('shared', noSignal);
  return await repository.planRepair({ read: { share: 1 }, ...(manifestOf && { manifestOf }) }, work);
}
