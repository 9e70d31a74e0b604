import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AppliedResource, Job } from '../../core/catalog/index.ts';
import { rememberedMs, unfinishedRestore } from '../../core/unfinished-restore.ts';

const hour = (hours: number) => new Date(Date.UTC(2026, 10, 1) + hours * 3_600_000);
const now = hour(100);

type Change = Partial<Job> & { readonly only?: readonly string[]; readonly plan?: string; readonly into?: string };

/** A restore that began at this hour and ended half an hour later. */
function restore(
  at: number,
  state: Job['state'],
  { only = [], plan = 'all', into = 'shop', ...rest }: Change = {},
): Job {
  return {
    id: `at ${at}`,
    kind: 'restore',
    state,
    trigger: 'manual',
    source: 'shop',
    request: { backup: { plan }, target: { source: into }, only },
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
const notRestored = (why: string) => ({ result: { notRestored: [{ item: 'shop.orders', why }] } });
const lease = (until: Date) => ({ endedAt: undefined, lease: { owner: 'x', until, fence: 1 } });
const lost = restore(1, 'failed', failed('JOB_LOST'));

const cases: Readonly<Record<string, readonly [given: readonly Job[], found: string | undefined]>> = {
  'nothing happened': [[], undefined],
  'it succeeded': [[restore(1, 'succeeded')], undefined],
  'its process was killed': [[lost], 'at 1'],
  'its process was killed, and nobody saw it yet': [[restore(1, 'running', lease(hour(99)))], 'at 1'],
  'it is at work': [[restore(1, 'running', lease(hour(101)))], undefined],
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

function resources(): ReadonlyMap<string, AppliedResource> {
  const resource = (name: string, identity: string) =>
    [`sources.${name}`, { identity } as unknown as AppliedResource] as const;
  return new Map([resource('shop', 'one'), resource('twin', 'one'), resource('other', 'two')]);
}

for (const [what, [given, found]] of Object.entries(cases)) {
  test(`a source after restores into it: ${what}`, () => {
    assert.equal(unfinishedRestore(given, 'shop', resources(), now)?.id, found);
  });
}

test('a restore that did not end is remembered for a week, not for ever', () => {
  const after = (ms: number) => new Date(lost.endedAt!.getTime() + ms);
  assert.equal(unfinishedRestore([lost], 'shop', resources(), after(rememberedMs - 1)), lost);
  assert.equal(unfinishedRestore([lost], 'shop', resources(), after(rememberedMs)), undefined);
});
