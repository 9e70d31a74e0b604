import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { planSettings } from '../../../core/config/index.ts';
import { hasCode } from '../../../core/error.ts';
import { drivers, errorsOf, load, soundYaml } from './given.ts';

test('a plan gets its units parsed', async (t) => {
  const { resources } = (await load(t, soundYaml)).configuration!;
  assert.deepEqual(planSettings(resources.get('plans.shop-nightly')!, resources, drivers), {
    name: 'shop-nightly',
    source: 'shop',
    type: 'logical',
    paths: [],
    schedule: '0 0 * * *',
    timezone: 'Asia/Shanghai',
    windowMs: 6 * 3_600_000,
    jitterMs: 0,
    destinations: ['nas'],
    retention: 'standard',
    include: ['shop.*'],
    exclude: ['shop.tmp_*'],
    retry: { attempts: 3, backoffMs: 300_000 },
    missed: 'skip',
  });
});

test('a plan gets its defaults filled in, the type from its driver', async (t) => {
  const { resources } = (await load(t, soundYaml)).configuration!;
  const plan = resources.get('plans.config-now')!;
  const { type, timezone, schedule, jitterMs, retry, missed } = planSettings(plan, resources, drivers);
  assert.deepEqual(
    { type, timezone, schedule, jitterMs, retry, missed },
    {
      type: 'snapshot',
      timezone: 'UTC',
      schedule: undefined,
      jitterMs: 0,
      retry: { attempts: 1, backoffMs: 60_000 },
      missed: 'run-once',
    },
  );
  const lost = () => planSettings(plan, new Map(), drivers);
  assert.throws(lost, (error) => hasCode(error, 'NOT_APPLIED'));
  const strange = () => planSettings(plan, resources, { sources: [], destinations: [] });
  assert.throws(strange, (error) => hasCode(error, 'UNSUPPORTED'));
});

test('a plan that runs by hand has a time zone: a retention counts in its days', async (t) => {
  const yaml = soundYaml.replace('manual: true', 'manual: true, timezone: Asia/Tokyo, retention: standard');
  const { resources } = (await load(t, yaml)).configuration!;
  const { schedule, timezone } = planSettings(resources.get('plans.config-now')!, resources, drivers);
  assert.deepEqual([schedule, timezone], [undefined, 'Asia/Tokyo']);
});

test('daemon settings have defaults, and a relative catalog starts at the configuration', async (t) => {
  const empty = await load(t, '');
  assert.deepEqual(empty.configuration!.daemon, {
    catalog: 'sqlite:/var/lib/tidemark/catalog.db',
    listen: '127.0.0.1:9631',
    concurrency: 2,
    keep: { jobsMs: 90 * 86_400_000, eventsMs: 90 * 86_400_000, most: 100_000 },
    prune: { schedule: '0 3 * * *', timezone: 'UTC', graceMs: 20 * 3_600_000, maxUnused: { percent: 5 } },
  });
  const sound = await load(t, soundYaml);
  assert.equal(sound.configuration!.daemon.catalog, `sqlite:${join(sound.folder, 'state/catalog.db')}`);
  const folder = await load(t, { 'a.yaml': 'daemon: { catalog: "sqlite:c.db", listen: "[::1]:0" }' });
  assert.equal(folder.configuration!.daemon.catalog, `sqlite:${join(folder.folder, 'c.db')}`);
});

test('positions are known for resources and their fields', async (t) => {
  const { configuration, files } = await load(t, soundYaml);
  const at = (address: string, path?: (string | number)[]) => {
    const position = configuration!.position(address, path);
    assert.equal(position?.file ?? files[0], files[0]);
    return position && `${position.line}:${position.column}`;
  };
  const lineOf = (text: string) => soundYaml.slice(0, soundYaml.indexOf(text)).split('\n').length;
  assert.equal(at('sources.shop'), '2:3');
  assert.equal(at('sources.shop', ['tls', 'verify']), '8:36');
  assert.equal(at('plans.shop-nightly', ['destinations', 0]), `${lineOf('    destinations: [nas]')}:20`);
  assert.equal(at('daemon', ['concurrency']), `${lineOf('  concurrency')}:3`);
  assert.equal(at('sources.gone'), undefined);
});

test('a driver that selects nothing refuses include and exclude', async (t) => {
  const text = `sources: { toys: { driver: toy } }
destinations: { nas: { driver: local, path: /mnt/nas, password: "\${env:NAS}" } }
plans:
  p: { source: toys, manual: true, destinations: [nas], include: [a], exclude: [b] }
`;
  assert.deepEqual(errorsOf(await load(t, text)), [
    '4:57 unsupported-selection plans.p: driver `toy` backs up the whole source and knows no `include` [Remove `include`.]',
    '4:71 unsupported-selection plans.p: driver `toy` backs up the whole source and knows no `exclude` [Remove `exclude`.]',
  ]);
});

test('two resources cannot come from the same old name', async (t) => {
  const source = (from: string) => `{ driver: files, paths: [/etc], renamedFrom: ${from} }`;
  const loaded = await load(t, `sources:\n  a: ${source('old')}\n  b: ${source('old')}\n  c: ${source('older')}\n`);
  assert.match(
    errorsOf(loaded).join('|'),
    /^3:51 rename-conflict sources\.b: `sources\.a` is renamed from `sources\.old` too[^|]*$/,
  );
});
