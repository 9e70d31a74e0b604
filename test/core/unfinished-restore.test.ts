import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AppliedResource, Job } from '../../core/catalog/index.ts';
import { rememberedMs, unfinishedRestore } from '../../core/unfinished-restore.ts';

const hour = (hours: number) => new Date(Date.UTC(2026, 10, 1) + hours * 3_600_000);
const now = hour(100);

type Change = Partial<Job> & {
  readonly only?: readonly string[];
  readonly plan?: string;
  readonly into?: string;
  /** The snapshot of a backup that is partial itself. */
  readonly partialOf?: string;
};

/** A restore that began at this hour and ended half an hour later. */
function restore(
  at: number,
  state: Job['state'],
  { only = [], plan = 'all', into = 'shop', partialOf, ...rest }: Change = {},
): Job {
  return {
    id: `at ${at}`,
    kind: 'restore',
    state,
    trigger: 'manual',
    source: 'shop',
    request: {
      backup: { plan, snapshot: partialOf ?? 'one', partial: partialOf !== undefined },
      target: { source: into },
      only,
    },
    uses: [{ thing: `sources.${into}`, mode: 'write' }],
    attempt: 1,
    attempts: 1,
    queuedAt: hour(at),
    startedAt: hour(at),
    endedAt: hour(at + 0.5),
    cancelRequested: false,
    ...rest,
  };
}

const failed = (code: NonNullable<Job['error']>['code']) => ({ error: { code, message: '' } });
const notRestored = (why: string, item = 'shop.orders') => ({ result: { notRestored: [{ item, why }] } });
const lease = (until: Date, owner = 'x') => ({ endedAt: undefined, lease: { owner, until, fence: 1 } });
const noOwners = { result: { notRestored: [] } };
const lost = restore(1, 'failed', failed('JOB_LOST'));

const cases: Readonly<Record<string, readonly [given: readonly Job[], found: string | undefined]>> = {
  'nothing happened': [[], undefined],
  'it succeeded': [[restore(1, 'succeeded')], undefined],
  'its process was killed': [[lost], 'at 1'],
  'its process was killed, and nobody saw it yet': [[restore(1, 'running', lease(hour(99)))], 'at 1'],
  'it is at work': [[restore(1, 'running', lease(hour(101)))], undefined],
  'its process is known to be gone': [[restore(1, 'running', lease(hour(101), 'gone'))], 'at 1'],
  'its secret could not be read': [[restore(1, 'failed', failed('SECRET_UNREADABLE'))], undefined],
  'the catalog was busy': [[restore(1, 'failed', failed('CATALOG_BUSY'))], undefined],
  'the catalog could not be written any more': [[restore(1, 'failed', failed('CATALOG_UNREADABLE'))], 'at 1'],
  'a later one brought back all but owners': [[restore(2, 'partial', noOwners), lost], undefined],
  'a later one lacked a pattern that nothing fits, and the rest is back': [
    [
      restore(2, 'partial', { only: ['a', 'b'], ...notRestored('absent', 'b') }),
      restore(1, 'failed', { only: ['a'], ...failed('JOB_LOST') }),
    ],
    undefined,
  ],
  'a later one lacked the part itself': [
    [
      restore(2, 'partial', { only: ['a', 'b'], ...notRestored('absent', 'b') }),
      restore(1, 'failed', { only: ['b'], ...failed('JOB_LOST') }),
    ],
    'at 1',
  ],
  'a later one left a table damaged': [[restore(2, 'partial', notRestored('damaged')), lost], 'at 2'],
  'the same backup, partial itself, is back whole': [
    [
      restore(2, 'partial', { partialOf: 'two', ...noOwners }),
      restore(1, 'failed', { partialOf: 'two', ...failed('JOB_LOST') }),
    ],
    undefined,
  ],
  'another backup, partial itself, is back': [[restore(2, 'partial', { partialOf: 'two', ...noOwners }), lost], 'at 1'],
  'it failed in the middle': [[restore(1, 'failed', failed('TARGET_FAILED'))], 'at 1'],
  'the server went away': [[restore(1, 'failed', failed('SOURCE_UNREACHABLE'))], 'at 1'],
  'the target held data': [[restore(1, 'failed', failed('TARGET_NOT_EMPTY'))], undefined],
  'the account may not write': [[restore(1, 'failed', failed('TARGET_DENIED'))], undefined],
  'it was cancelled while it ran': [[restore(1, 'cancelled', failed('CANCELLED'))], 'at 1'],
  'it was cancelled before it began': [[restore(1, 'cancelled', { startedAt: undefined })], undefined],
  'a table was damaged': [[restore(1, 'partial', notRestored('damaged'))], 'at 1'],
  'the backup held nothing of a pattern': [[restore(1, 'partial', notRestored('absent'))], undefined],
  'only owners could not be set': [[restore(1, 'partial', { result: { notRestored: [] } })], undefined],
  'it went into another source': [[restore(1, 'failed', { into: 'other', ...failed('JOB_LOST') })], undefined],
  'it went into another name of the source': [[restore(1, 'failed', { into: 'twin', ...failed('JOB_LOST') })], 'at 1'],
  'a later one succeeded': [[restore(2, 'succeeded'), lost], undefined],
  'an earlier one succeeded': [[lost, restore(0, 'succeeded')], 'at 1'],
  'a later one did nothing': [[restore(2, 'failed', failed('TARGET_NOT_EMPTY')), lost], 'at 1'],
  'a later one failed too': [[restore(2, 'failed', failed('TARGET_FAILED')), lost], 'at 2'],
  'a later one brought back a part': [[restore(2, 'succeeded', { only: ['shop.orders'] }), lost], 'at 1'],
  'a later one was of a plan that may hold less': [[restore(2, 'succeeded', { plan: 'orders' }), lost], 'at 1'],
  'a later part failed, and the same part succeeded then': [
    [
      restore(3, 'succeeded', { only: ['shop.orders'] }),
      restore(2, 'failed', { only: ['shop.orders'], ...failed('JOB_LOST') }),
      lost,
    ],
    'at 1',
  ],
  'a part failed, and the same part succeeded then': [
    [
      restore(3, 'succeeded', { only: ['shop.orders'] }),
      restore(2, 'failed', { only: ['shop.orders'], ...failed('JOB_LOST') }),
    ],
    undefined,
  ],
};

const fate = (owner: string) => (owner === 'gone' ? 'gone' : 'unknown');

function resources(): ReadonlyMap<string, AppliedResource> {
  const resource = (name: string, identity: string) =>
    [`sources.${name}`, { identity } as unknown as AppliedResource] as const;
  return new Map([resource('shop', 'one'), resource('twin', 'one'), resource('other', 'two')]);
}

for (const [what, [given, found]] of Object.entries(cases)) {
  test(`a source after restores into it: ${what}`, () => {
    assert.equal(unfinishedRestore(given, 'shop', resources(), now, fate)?.id, found);
  });
}

test('a restore that did not end is remembered for a week, not for ever', () => {
  const after = (ms: number) => new Date(lost.endedAt!.getTime() + ms);
  assert.equal(unfinishedRestore([lost], 'shop', resources(), after(rememberedMs - 1), fate), lost);
  assert.equal(unfinishedRestore([lost], 'shop', resources(), after(rememberedMs), fate), undefined);
});
