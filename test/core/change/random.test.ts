import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { join } from 'node:path';
import { test } from 'node:test';
import { openSqliteCatalog } from '../../../core/catalog/index.ts';
import { apply, encodeChangeSet, hasRefusals, isEmpty, parseChangeSet } from '../../../core/change/index.ts';
import { manualClock } from '../../contracts/catalog-samples.ts';
import { tempFolder } from '../../kit/temp.ts';
import { changeSetNow, type Specs } from './samples.ts';

const names = ['a', 'b', 'c', 'd'];

test('plan after apply is empty for any pair of configurations', async (t) => {
  const seed = Number(process.env.TIDEMARK_TEST_SEED ?? randomInt(2 ** 31));
  t.diagnostic(`TIDEMARK_TEST_SEED=${seed}`);
  const random = mulberry32(seed);
  const clock = manualClock();
  await using catalog = await openSqliteCatalog(join(await tempFolder(t), 'catalog.db'), clock);
  const plan = (specs: Specs) => changeSetNow(catalog, specs, clock);
  const identity = async () => ({ identity: 'same' });
  const probes = { source: identity, destination: identity };
  let applied = 0;
  for (let round = 0; round < 150; round++) {
    const specs = randomSpecs(random);
    const changeSet = parseChangeSet(encodeChangeSet(await plan(specs)));
    if (hasRefusals(changeSet)) continue;
    await apply({ changeSet, catalog, probes, clock, signal: new AbortController().signal });
    const again = await plan(specs);
    assert.ok(isEmpty(again), JSON.stringify({ round, specs, again }, undefined, 1));
    const state = await catalog.state.read();
    assert.deepEqual([...state.resources.keys()].sort(), Object.keys(specs).sort());
    applied += isEmpty(changeSet) ? 0 : 1;
  }
  assert.ok(applied > 50, `${applied} change sets were applied`);
});

function randomSpecs(random: () => number): Specs {
  const specs: Record<string, Record<string, unknown>> = {};
  const some = () => names.filter(() => random() < 0.5);
  const [sources, destinations, policies] = [some(), some(), some()];
  for (const name of sources)
    specs[`sources.${name}`] = { driver: 'files', paths: some(), ...renamed(name, sources, random) };
  for (const name of destinations) {
    specs[`destinations.${name}`] = {
      driver: 'local',
      path: `/${pick(random, names)}`,
      ...renamed(name, destinations, random),
    };
  }
  for (const name of policies) {
    specs[`retention.${name}`] = {
      last: Math.floor(random() * 3),
      within: pick(random, ['1d', '36h']),
      ...renamed(name, policies, random),
    };
  }
  if (sources.length === 0 || destinations.length === 0) return specs;
  const plans = some();
  for (const name of plans) {
    specs[`plans.${name}`] = {
      source: pick(random, sources),
      destinations: [pick(random, destinations)],
      ...pick(random, [
        { manual: true },
        { schedule: '0 1 * * *' },
        { schedule: '*/5 * * * *', timezone: 'Europe/Berlin' },
      ]),
      ...(policies.length > 0 && random() < 0.5 ? { retention: pick(random, policies) } : {}),
      ...(random() < 0.3 ? { retry: { attempts: 1 + Math.floor(random() * 3) }, exclude: some() } : {}),
      ...renamed(name, plans, random),
    };
  }
  return specs;
}

/** As validation has it: the old name is gone from the files. */
function renamed(name: string, present: readonly string[], random: () => number): Record<string, unknown> {
  const gone = names.filter((other) => other !== name && !present.includes(other));
  return gone.length > 0 && random() < 0.4 ? { renamedFrom: pick(random, gone) } : {};
}

function pick<T>(random: () => number, all: readonly T[]): T {
  return all[Math.floor(random() * all.length)]!;
}

function mulberry32(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
