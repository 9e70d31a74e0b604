import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decide, historiesOf, type RetentionPolicy } from '../../../core/retention/index.ts';
import { backup, policy } from './kit.ts';
import { seeded } from './random.ts';

const now = new Date('2026-11-27T12:00:00Z');

/** Each backup, what becomes of it, and why, newest first. */
function judged(backups: readonly string[], rules: Partial<RetentionPolicy>, timezone = 'UTC'): string[] {
  const { decisions } = decide(backups.map(backup), policy(rules), { now, timezone });
  return decisions.map(
    (one) => `${one.keep ? 'keep' : 'expire'} ${one.backup.id}: ${one.reasons.map(({ text }) => text).join(', ')}`,
  );
}

test('every rule that keeps a backup is told, with its period', () => {
  const backups = ['2026-11-24T01:00:00Z', '2026-11-23T01:00:00Z', '2026-11-22T23:00:00Z', '2026-11-22T01:00:00Z'];
  assert.deepEqual(judged(backups, { last: 1, hourly: 1, daily: 2, weekly: 2, monthly: 1, yearly: 1 }), [
    'keep 2026-11-24T01:00:00Z: the last good backup, last 1, hourly 2026-11-24 01h, daily 2026-11-24, weekly 2026-W48, monthly 2026-11, yearly 2026',
    'keep 2026-11-23T01:00:00Z: daily 2026-11-23',
    'keep 2026-11-22T23:00:00Z: weekly 2026-W47',
    'expire 2026-11-22T01:00:00Z: no rule keeps it',
  ]);
});

test('the oldest of all stays while its rule has counts left', () => {
  assert.deepEqual(judged(['2026-11-24T03:00:00Z', '2026-11-24T02:00:00Z', '2026-11-24T01:00:00Z'], { daily: 2 }), [
    'keep 2026-11-24T03:00:00Z: the last good backup, daily 2026-11-24',
    'expire 2026-11-24T02:00:00Z: no rule keeps it',
    'keep 2026-11-24T01:00:00Z: oldest, daily 2026-11-24',
  ]);
});

test('days are those of the zone of the plan', () => {
  const backups = ['2026-11-23T17:00:00Z', '2026-11-23T15:00:00Z', '2026-11-22T17:00:00Z'];
  assert.deepEqual(judged(backups, { daily: 2 }, 'Asia/Shanghai'), [
    'keep 2026-11-23T17:00:00Z: the last good backup, daily 2026-11-24',
    'keep 2026-11-23T15:00:00Z: daily 2026-11-23',
    'expire 2026-11-22T17:00:00Z: no rule keeps it',
  ]);
});

test('within counts back from the newest, and a backup of exactly that age goes, as in restic', () => {
  const backups = ['2026-01-08T00:00:00Z', '2026-01-01T00:00:01Z', '2026-01-01T00:00:00Z'];
  assert.deepEqual(judged(backups, { withinMs: 7 * 86_400_000 }), [
    'keep 2026-01-08T00:00:00Z: the last good backup, within 7d of the newest',
    'keep 2026-01-01T00:00:01Z: within 7d of the newest',
    'expire 2026-01-01T00:00:00Z: no rule keeps it',
  ]);
});

test('recovery keeps every good backup of the span and the base before it', () => {
  const backups = ['2026-11-26T00:00:00Z', '2026-11-25T00:00:00Z', '2026-11-23T00:00:00Z', '2026-11-22T00:00:00Z'];
  assert.deepEqual(judged(backups, { recoveryMs: 2 * 86_400_000 }), [
    'keep 2026-11-26T00:00:00Z: the last good backup, within the recovery span of 2d',
    'keep 2026-11-25T00:00:00Z: within the recovery span of 2d',
    'keep 2026-11-23T00:00:00Z: the base of the recovery span of 2d',
    'expire 2026-11-22T00:00:00Z: no rule keeps it',
  ]);
});

test('the minimum is filled up with the newest, and counts what rules keep', () => {
  const backups = ['2026-11-26T00:00:00Z', '2026-11-25T00:00:00Z', '2026-11-24T00:00:00Z', '2026-10-01T00:00:00Z'];
  assert.deepEqual(judged(backups, { monthly: 2, minimum: 3 }), [
    'keep 2026-11-26T00:00:00Z: the last good backup, monthly 2026-11',
    'keep 2026-11-25T00:00:00Z: the minimum of 3 good ones',
    'expire 2026-11-24T00:00:00Z: no rule keeps it',
    'keep 2026-10-01T00:00:00Z: monthly 2026-10',
  ]);
});

test('pins and restores keep a backup and change nothing for the others', () => {
  const backups = ['2026-11-26T00:00:00Z', '2026-11-25T00:00:00Z pinned', '2026-11-24T00:00:00Z restoring'];
  assert.deepEqual(judged([...backups, '2026-11-23T00:00:00Z'], { last: 1, minimum: 2 }), [
    'keep 2026-11-26T00:00:00Z: the last good backup, last 1',
    'keep 2026-11-25T00:00:00Z pinned: pinned, the minimum of 2 good ones',
    'keep 2026-11-24T00:00:00Z restoring: being restored',
    'expire 2026-11-23T00:00:00Z: no rule keeps it',
  ]);
});

test('what is expiring already goes, and counts for nothing: not even as the last good one', () => {
  assert.deepEqual(
    judged(['2026-11-26T00:00:00Z expiring', '2026-11-25T00:00:00Z', '2026-11-24T00:00:00Z'], { last: 1 }),
    [
      'expire 2026-11-26T00:00:00Z expiring: it is expiring already',
      'keep 2026-11-25T00:00:00Z: the last good backup, last 1',
      'expire 2026-11-24T00:00:00Z: no rule keeps it',
    ],
  );
});

test('a partial backup takes the place of no good one', () => {
  const backups = ['2026-11-26T02:00:00Z partial', '2026-11-26T01:00:00Z', '2026-11-25T02:00:00Z partial'];
  const older = ['2026-11-24T02:00:00Z', '2026-11-24T01:00:00Z partial', '2026-11-23T00:00:00Z'];
  assert.deepEqual(judged([...backups, ...older], { daily: 3 }), [
    'keep 2026-11-26T02:00:00Z partial: partial, and no good backup has come since',
    'keep 2026-11-26T01:00:00Z: the last good backup, daily 2026-11-26',
    'keep 2026-11-25T02:00:00Z partial: daily 2026-11-25',
    'keep 2026-11-24T02:00:00Z: daily 2026-11-24',
    'expire 2026-11-24T01:00:00Z partial: no rule keeps it',
    'keep 2026-11-23T00:00:00Z: daily 2026-11-23',
  ]);
});

test('a source that never gives a whole backup does not fill its destination: rules keep some, and a week all', () => {
  const backups = Array.from(
    { length: 20 },
    (_, day) => `2026-11-${String(20 - day).padStart(2, '0')}T00:00:00Z partial`,
  );
  const kept = judged(backups, { weekly: 2 }).filter((line) => line.startsWith('keep'));
  assert.deepEqual(
    kept.map((line) => line.slice(5, 15)),
    ['2026-11-20', '2026-11-19', '2026-11-18', '2026-11-17', '2026-11-16', '2026-11-15', '2026-11-14'],
  );
  assert.match(kept[5]!, /no good backup has come since|weekly 2026-W46/);
});

test('partial backups after the last good one stay, and it stays behind them', () => {
  const backups = ['2026-11-26T02:00:00Z partial', '2026-11-26T01:00:00Z partial', '2026-11-20T01:00:00Z'];
  assert.deepEqual(
    judged([...backups, '2026-11-19T01:00:00Z'], { last: 1 }).map((line) => line.split(' ')[0]),
    ['keep', 'keep', 'keep', 'expire'],
  );
});

test('a plan without a good backup keeps its newest one', () => {
  assert.deepEqual(judged(['2020-11-26T02:00:00Z partial'], { withinMs: 1 }), [
    'keep 2020-11-26T02:00:00Z partial: within 1ms of the newest, partial, and no good backup has come since',
  ]);
});

test('backups of a clock that ran ahead stay, and push nothing out', () => {
  const ahead = ['2036-01-02T00:00:00Z', '2036-01-01T00:00:00Z'];
  assert.deepEqual(judged([...ahead, '2026-11-26T00:00:00Z', '2026-11-25T00:00:00Z'], { last: 1, withinMs: 1 }), [
    'keep 2036-01-02T00:00:00Z: dated in the future',
    'keep 2036-01-01T00:00:00Z: dated in the future',
    'keep 2026-11-26T00:00:00Z: the last good backup, last 1, within 1ms of the newest',
    'expire 2026-11-25T00:00:00Z: no rule keeps it',
  ]);
});

test('a clock that is wrong now lets nothing go that a right one would keep', () => {
  const backups = Array.from({ length: 30 }, (_, day) =>
    backup(new Date(now.getTime() - day * 86_400_000).toISOString()),
  );
  const rules = policy({
    last: 2,
    daily: 5,
    weekly: 3,
    monthly: 2,
    withinMs: 3 * 86_400_000,
    recoveryMs: 9 * 86_400_000,
  });
  const kept = (at: string) => {
    const { decisions } = decide(backups, rules, { now: new Date(at), timezone: 'UTC' });
    return decisions.filter(({ keep }) => keep).map((one) => one.backup.id);
  };
  const right = kept(now.toISOString());
  assert.ok(right.length < backups.length);
  assert.deepEqual(kept('2099-01-01T00:00:00Z'), right);
  for (const at of ['1970-01-01T00:00:00Z', '2026-11-20T00:00:00Z', '2026-11-01T00:00:00Z']) {
    const early = new Set(kept(at));
    assert.deepEqual(
      right.filter((id) => !early.has(id)),
      [],
      at,
    );
  }
});

test('a backup made while the clock ran ahead ends no span without a doubt', () => {
  const days = Array.from({ length: 14 }, (_, day) => backup(new Date(now.getTime() - day * 86_400_000).toISOString()));
  const ahead = backup('2031-01-01T00:00:00Z');
  const spans = policy({ withinMs: 14 * 86_400_000 });
  const at = { now: new Date('2031-01-01T01:00:00Z'), timezone: 'UTC' };
  const { decisions, doubt } = decide([ahead, ...days], spans, at);
  assert.equal(decisions.filter(({ keep }) => keep).length, 1);
  assert.match(
    doubt ?? '',
    /^14 good backups would expire at once because there is none between 2026-11-27.* and 2031-01-01/,
  );
  const later = Array.from({ length: 13 }, (_, day) =>
    backup(new Date(at.now.getTime() + day * 86_400_000).toISOString()),
  );
  const after = { ...at, now: new Date('2031-02-01T00:00:00Z') };
  assert.notEqual(decide([ahead, ...later.slice(0, 9), ...days], spans, after).doubt, undefined);
  assert.equal(decide([ahead, ...later, ...days], spans, after).doubt, undefined);
  assert.equal(decide(days, spans, { now, timezone: 'UTC' }).doubt, undefined);
  assert.equal(decide([ahead, ...days], policy({ daily: 3 }), at).doubt, undefined);
});

test('a policy that keeps nothing is not followed', () => {
  const backups = ['2026-11-26T00:00:00Z', '2026-11-25T00:00:00Z partial'];
  assert.deepEqual(
    judged(backups, { minimum: 3 }).map((line) => line.split(': ')[1]),
    backups.map(() => 'its policy keeps nothing, so it is not followed'),
  );
});

test('deciding again over what is left lets nothing more go', () => {
  const random = seeded(20261127);
  for (let round = 0; round < 300; round++) {
    const { backups, rules, timezone } = randomHistory(random);
    const first = decide(backups, rules, { now, timezone });
    const left = first.decisions.filter(({ keep }) => keep).map((one) => one.backup);
    const second = decide(left, rules, { now, timezone });
    assert.ok(
      second.decisions.every(({ keep }) => keep),
      `round ${round}`,
    );
    const good = (some: readonly { partial: boolean }[]) => some.filter(({ partial }) => !partial).length;
    assert.ok(good(left) >= Math.min(rules.minimum, good(backups)), `round ${round}`);
  }
});

test('what is partial changes nothing for what is good', () => {
  const random = seeded(7);
  for (let round = 0; round < 300; round++) {
    const { backups, rules, timezone } = randomHistory(random);
    const reasons = (some: typeof backups) =>
      decide(some, rules, { now, timezone }).decisions.filter((one) => !one.backup.partial);
    assert.deepEqual(reasons(backups), reasons(backups.filter(({ partial }) => !partial)), `round ${round}`);
  }
});

test('backups of another source or destination are another history', () => {
  const of = (plan: string, source: string, destination: string, id: string) => ({ plan, source, destination, id });
  const some = [of('p', 's', 'd', '1'), of('p', 't', 'd', '2'), of('p', 's', 'd', '3'), of('p', 's', 'e', '4')];
  assert.deepEqual(
    historiesOf(some).map((history) => history.map(({ id }) => id)),
    [['1', '3'], ['2'], ['4']],
  );
});

function randomHistory(random: () => number) {
  const pick = (below: number) => Math.floor(random() * below);
  const backups = Array.from({ length: 1 + pick(60) }, (_, at) => {
    const time = new Date(now.getTime() - pick(120) * 6 * 3_600_000 * (1 + pick(3))).toISOString();
    return { ...backup(`${time}${random() < 0.3 ? ' partial' : ''}`), id: String(at).padStart(3, '0') };
  });
  const rules = policy({
    last: pick(4),
    hourly: pick(4),
    daily: pick(8),
    weekly: pick(4),
    monthly: pick(3),
    yearly: pick(2),
    withinMs: pick(3) * 86_400_000,
    recoveryMs: pick(3) * 86_400_000,
    minimum: 1 + pick(5),
  });
  return { backups, rules, timezone: ['UTC', 'Asia/Shanghai', 'America/New_York'][pick(3)]! };
}
