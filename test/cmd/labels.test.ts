import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { home, yamlFor } from './kit.ts';

test('--label keeps what has the label on its plan, source or destination, in every list', async (t) => {
  const at = await home(t);
  const yaml = (kind: string, path: string, more: string) => `{ driver: ${kind}, ${path}, ${more} }`;
  const secret = `password: "\${file:${join(at.folder, 'password')}}"`;
  await at.write(`sources:
  docs: ${yaml('files', `paths: [${at.data}]`, 'labels: { team: docs, region: eu }')}
  shop: ${yaml('files', `paths: [${at.data}/deep]`, 'labels: { team: shop, region: eu }')}
destinations:
  disk: ${yaml('local', `path: ${at.repository}`, `${secret}, labels: { tier: hot }`)}
  cold: ${yaml('local', `path: ${at.folder}/cold`, `${secret}, labels: { tier: cold }`)}
plans:
  docs-daily: { source: docs, destinations: [disk], manual: true }
  shop-daily: { source: shop, destinations: [disk], manual: true, labels: { level: gold } }
  shop-cold: { source: shop, destinations: [cold], manual: true }
daemon: { catalog: "sqlite:catalog.db", listen: "127.0.0.1:0" }
`);
  await at.inside('apply', '--auto-approve');
  for (const plan of ['docs-daily', 'shop-daily', 'shop-cold']) await at.inside('backup', plan);
  const json = async (...args: string[]) => JSON.parse((await at.inside(...args, '--json')).stdout);
  const plans = (list: { plan: string }[]) => list.map(({ plan }) => plan).sort();

  const expected: [string[], string[]][] = [
    [['team=docs'], ['docs-daily']],
    [['region=eu'], ['docs-daily', 'shop-cold', 'shop-daily']],
    [['region=eu', 'tier=cold'], ['shop-cold']],
    [['level=gold'], ['shop-daily']],
    [['level=gold', 'tier=cold'], []],
  ];
  for (const [labels, wanted] of expected) {
    const options = labels.flatMap((label) => ['--label', label]);
    assert.deepEqual(plans((await json('backups', ...options)).backups), wanted, `${labels}`);
    assert.deepEqual(plans((await json('jobs', ...options)).jobs), wanted, `${labels}`);
  }
  const limited = await json('backups', '--label', 'team=docs', '--limit', '1');
  assert.deepEqual(plans(limited.backups), ['docs-daily'], 'the limit counts what matches, not what is looked at');
  const events = await json('events', '--label', 'team=docs');
  const subjects = new Set(events.events.map(({ subject }: { subject: string }) => subject));
  assert.ok(subjects.size > 0 && [...subjects].every((subject) => /docs/.test(String(subject))), `${[...subjects]}`);

  const status = await json('status', '--label', 'tier=cold');
  const [shop, ...others] = status.sources;
  assert.deepEqual(
    [shop.name, plans(shop.plans.map(({ name }: { name: string }) => ({ plan: name }))), others],
    ['shop', ['shop-cold'], []],
  );
  assert.deepEqual(
    status.destinations.map(({ name }: { name: string }) => name),
    ['cold'],
  );
});

test('a label that nothing has is an error with the nearest, not an empty list and not safe', async (t) => {
  const at = await home(t);
  await at.write(yamlFor(at.folder, 'manual: true, labels: { team: shop, level: gold }'));
  await at.inside('apply', '--auto-approve');
  const wrong = await at.inside('status', '--check', '--label', 'taem=shop');
  assert.deepEqual([wrong.code, wrong.stdout], [3, '']);
  assert.match(wrong.stderr, /^error NOT_APPLIED: .*taem=shop\n {2}hint: Did you mean `team=shop`\?/);
  assert.match((await at.inside('backups', '--label', 'x=y')).stderr, /hint: There are: `team=shop`, `level=gold`\./);
  const usage = await at.inside('jobs', '--label', 'team');
  assert.deepEqual([usage.code, /USAGE: .*key=value/.test(usage.stderr)], [3, true], usage.stderr);
});
