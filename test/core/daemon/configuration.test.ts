import assert from 'node:assert/strict';
import { mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { systemClock } from '../../../core/clock.ts';
import { createReconcile } from '../../../core/daemon/index.ts';
import { TidemarkError } from '../../../core/error.ts';
import { backup } from '../../contracts/catalog-samples.ts';
import { waitFor } from '../../kit/process.ts';
import { applyByHand, type Home, home, loadFrom, probes, replaceFile, startDaemon, yaml } from './daemon-kit.ts';

const never = { schedule: '0 0 1 1 *' };
const one = yaml({ nightly: never });
const two = yaml({ nightly: never, weekly: never });

async function reported(at: Home, state: string, text = /./): Promise<string> {
  const record = await waitFor(`configuration ${state}`, async () => {
    const [daemon] = await at.catalog.daemons.alive(() => 'unknown');
    return daemon?.configuration.state === state && text.test(daemon.configuration.text) ? daemon : undefined;
  });
  return record.configuration.text;
}

async function plans(at: Home): Promise<string[]> {
  const { resources } = await at.catalog.state.read();
  return [...resources.values()].filter(({ collection }) => collection === 'plans').map(({ name }) => name);
}

test('a harmless change of the file is applied at once, however the editor writes it', async (t) => {
  const at = await home(t, one, systemClock);
  await startDaemon(t, at);
  await replaceFile(at.configuration, two);
  await waitFor('the second plan', async () => (await plans(at)).includes('weekly'));
  await writeFile(at.configuration, yaml({ nightly: never, weekly: never, monthly: never }));
  await waitFor('the third plan', async () => (await plans(at)).includes('monthly'));
  await rm(at.configuration);
  await reported(at, 'invalid', /CONFIG_NOT_FOUND/);
  await writeFile(at.configuration, yaml({ nightly: never, weekly: never, monthly: never, yearly: never }));
  await waitFor('the fourth plan', async () => (await plans(at)).includes('yearly'));
});

test('a broken file is told with its place, and the applied state goes on', async (t) => {
  const at = await home(t, yaml({ often: { schedule: '* * * * * *' } }), systemClock);
  const { url } = await startDaemon(t, at);
  await replaceFile(
    at.configuration,
    `${two}  daily: { source: nightly, destinations: [nas], shedule: "0 1 * * *" }\n`,
  );
  const text = await reported(at, 'invalid');
  assert.match(text, /tidemark\.yaml:9:\d+: .*shedule/);
  const [event] = await at.catalog.events.list({ kind: 'config.invalid' });
  assert.deepEqual([event?.level, event?.text], ['error', text]);
  assert.match(await (await fetch(`${url}/metrics`)).text(), /^tidemark_config_state\{state="invalid"\} 1$/m);
  assert.deepEqual(await plans(at), ['often']);
  const before = (await at.catalog.jobs.list({ states: ['succeeded'] })).length;
  await waitFor('another run', async () => (await at.catalog.jobs.list({ states: ['succeeded'] })).length > before);
  await replaceFile(at.configuration, yaml({ often: never }));
  await reported(at, 'applied');
});

test('a destructive change waits for a person, shows as pending, and is done when it was applied', async (t) => {
  const at = await home(t, two, systemClock);
  const { url } = await startDaemon(t, at);
  await replaceFile(at.configuration, one);
  assert.match(await reported(at, 'pending'), /remove plans\.weekly/);
  assert.deepEqual((await plans(at)).sort(), ['nightly', 'weekly']);
  assert.match(await (await fetch(`${url}/metrics`)).text(), /^tidemark_pending_changes [1-9]/m);
  await applyByHand(at);
  await reported(at, 'applied');
  assert.deepEqual(await plans(at), ['nightly']);
  const kinds = (await at.catalog.events.list()).map(({ kind }) => kind);
  assert.ok(kinds.includes('config.pending') && kinds.includes('config.applied'));
});

test('a change by which backups expire waits for a person, be it a policy or only the days that it counts in', async (t) => {
  const kept = (rules: string, timezone: string) =>
    `${yaml({ nightly: { ...never, extra: `retention: few, timezone: ${timezone}` } })}retention:\n  few: ${rules}\n`;
  const at = await home(t, kept('{ daily: 3 }', 'UTC'), systemClock);
  await startDaemon(t, at);
  await waitFor('the plan', async () => (await plans(at)).includes('nightly'));
  for (const time of ['2026-03-03T01:00:00Z', '2026-03-02T17:00:00Z', '2026-03-01T17:00:00Z']) {
    const copy = { plan: 'nightly', source: 'nightly', consistentAt: new Date(time) };
    await at.catalog.backups.record(backup(copy));
  }
  await replaceFile(at.configuration, kept('{ daily: 3 }', 'Asia/Shanghai'));
  const days = /^change plans.nightly: differs in timezone, by which 1 backup would expire$/;
  assert.match(await reported(at, 'pending', /timezone/), days);
  await replaceFile(at.configuration, kept('{ daily: 4 }', 'UTC'));
  await reported(at, 'applied', /serial 2/);
  await replaceFile(at.configuration, kept('{ daily: 1 }', 'UTC'));
  const less = /^change retention.few: differs in daily, by which 2 backups would expire$/;
  assert.match(await reported(at, 'pending', /daily/), less);
  await applyByHand(at);
  await reported(at, 'applied', /serial 3/);
});

test('what cannot be applied since a source is not there is tried again', async (t) => {
  const at = await home(t, one);
  let down = true;
  const source = async ({ name }: { name: string }) => {
    if (down && name === 'weekly') throw new TidemarkError('SOURCE_UNREACHABLE', 'no answer');
    return { identity: name };
  };
  const daemon = await startDaemon(t, at, {
    change: ({ catalog, clock }) => ({
      reconcile: createReconcile({ catalog, clock, probes: { ...probes, source }, load: loadFrom(at.configuration) }),
    }),
  });
  await replaceFile(at.configuration, two);
  daemon.reload();
  assert.match(await reported(at, 'pending'), /could not be applied: SOURCE_UNREACHABLE: no answer/);
  down = false;
  await reported(at, 'applied');
  assert.ok((await plans(at)).includes('weekly'));
});

test('what could not be read is tried again: a secret that comes later lies where nobody watches', async (t) => {
  const at = await home(t, two);
  let [readings, readable] = [0, false];
  const load = async () => {
    readings++;
    if (readable) return loadFrom(at.configuration)();
    throw new TidemarkError('SECRET_UNREADABLE', 'no such file');
  };
  await startDaemon(t, at, {
    change: ({ catalog, clock }) => ({ reconcile: createReconcile({ catalog, clock, probes, load }) }),
  });
  await waitFor('the reading that the watch begins with', () => readings >= 2);
  await reported(at, 'invalid', /SECRET_UNREADABLE/);
  readable = true;
  await reported(at, 'applied');
});

test('a folder is watched for files that come and go, and no others', async (t) => {
  const at = await home(t, one, systemClock);
  const folder = join(at.folder, 'conf');
  await mkdir(folder);
  await writeFile(join(folder, 'a.yaml'), one);
  let loads = 0;
  const load = () => {
    loads += 1;
    return loadFrom(folder)();
  };
  await startDaemon(t, at, {
    path: folder,
    change: ({ catalog, clock }) => ({ reconcile: createReconcile({ catalog, clock, probes, load }) }),
  });
  await waitFor('the first round', () => loads === 2);
  await writeFile(join(folder, 'notes.txt'), 'x');
  await replaceFile(
    join(folder, 'b.yml'),
    'plans:\n  weekly: { source: nightly, destinations: [nas], manual: true }\n',
  );
  await waitFor('the second plan', async () => (await plans(at)).includes('weekly'));
  assert.ok(loads <= 4, `${loads} loads`);
  await rm(join(folder, 'b.yml'));
  await reported(at, 'pending', /remove plans\.weekly/);
});

test('a mounted configuration whose link is swapped is noticed', async (t) => {
  const at = await home(t, one, systemClock);
  const mount = join(at.folder, 'mount');
  for (const [name, text] of [
    ['..1', one],
    ['..2', two],
  ] as const) {
    await mkdir(join(mount, name), { recursive: true });
    await writeFile(join(mount, name, 'tidemark.yaml'), text);
  }
  await symlink('..1', join(mount, '..data'));
  await symlink('..data/tidemark.yaml', join(mount, 'tidemark.yaml'));
  await startDaemon(t, at, { path: join(mount, 'tidemark.yaml') });
  await rm(join(mount, '..data'));
  await symlink('..2', join(mount, '..data'));
  await waitFor('the second plan', async () => (await plans(at)).includes('weekly'));
});

test('a reload reads the file without waiting for the watch', async (t) => {
  const at = await home(t, one, systemClock);
  const states: string[] = [];
  const daemon = await startDaemon(t, at, { change: () => ({ systemd: { notify: (state) => states.push(state) } }) });
  await waitFor('the first rounds', () => states.join(' ') === 'READY=1 RELOADING=1 READY=1');
  states.length = 0;
  daemon.reload();
  await waitFor('the reload', () => states.join(' ') === 'RELOADING=1 READY=1');
  await daemon.drain();
  assert.equal(states.at(-1), 'STOPPING=1');
});

test('a daemon starts with a broken file and runs what was applied', async (t) => {
  const at = await home(t, yaml({ often: { schedule: '* * * * * *' } }));
  await applyByHand(at);
  await replaceFile(at.configuration, 'sources: [');
  await startDaemon(t, at);
  await reported(at, 'invalid');
  await waitFor('a run', async () => (await at.catalog.jobs.list({ states: ['succeeded'] })).length > 0);
});

test('a defect that keeps the configuration back is told, and what was applied runs on', async (t) => {
  const at = await home(t, yaml({ often: { schedule: '* * * * * *' } }));
  await applyByHand(at);
  const reconcile = () => Promise.reject(new Error('UNIQUE constraint failed: plan_status.plan'));
  const { log } = await startDaemon(t, at, { change: () => ({ reconcile }) });
  await reported(at, 'invalid', /^BUG: .*UNIQUE constraint/);
  await waitFor('a run', async () => (await at.catalog.jobs.list({ states: ['succeeded'] })).length > 0);
  assert.ok(log.some((line) => line.includes('a defect of tidemark')));
});
