import assert from 'node:assert/strict';
import { randomBytes, randomInt } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { Sealer } from '../../../core/repository/format/sealer.ts';
import { openKey } from '../../../core/repository/keys.ts';
import { SealedObjects } from '../../../core/repository/objects.ts';
import { type Candidate, decide, type Reason, type RetentionPolicy } from '../../../core/retention/index.ts';
import { Secret } from '../../../core/secret.ts';
import { zoneClock } from '../../../core/zone-clock.ts';
import type { Restic } from '../../kit/restic.ts';
import { newPlace, password } from '../repository/repository-kit.ts';
import { dayMs, hourMs, policy } from './kit.ts';
import { seeded } from './random.ts';

const histories = 240;
const zones = ['UTC', 'Asia/Shanghai', 'America/New_York', 'Europe/Berlin', 'Australia/Lord_Howe', 'Asia/Kathmandu'];
/** One call of restic judges all histories by one of these. */
const policies: readonly Partial<RetentionPolicy>[] = [
  { last: 3 },
  { hourly: 5 },
  { daily: 7, weekly: 4, monthly: 6, yearly: 2 },
  { weekly: 60 },
  { withinMs: 3 * dayMs },
  { last: 1, hourly: 3, daily: 2, withinMs: 26 * hourMs, yearly: 10 },
];

test('the rules keep what restic keeps, and say why as it does', async (t) => {
  const seed = randomInt(2 ** 32);
  t.diagnostic(`seed ${seed}`);
  const place = await newPlace(t);
  const keepsOldest = await keepsOldestOnes(place.restic);
  const made = randomHistories(seeded(seed));
  await writeSnapshots(place.folder, await objectsOf(place.store), made);
  for (const rules of policies) {
    const args = ['forget', '--dry-run', '--json', '--no-lock', '--group-by', 'tags', ...resticRules(rules)];
    const { stdout } = await place.restic(args, { env: { TZ: 'UTC' } });
    const groups = new Map((JSON.parse(stdout) as ResticGroup[]).map((group) => [group.tags[0], group]));
    assert.equal(groups.size, made.length);
    for (const [at, history] of made.entries()) {
      const { decisions } = decide(history.backups, policy(rules), { now: new Date(), timezone: history.timezone });
      const ours = decisions.map(({ backup, reasons }) => line(backup.consistentAt, ourRules(reasons, keepsOldest)));
      assert.deepEqual(
        ours.sort(),
        resticDecisions(groups.get(`h${at}`)!),
        `history ${at} (${history.timezone}) ${JSON.stringify(rules)}`,
      );
    }
  }
});

interface History {
  readonly timezone: string;
  readonly backups: readonly Candidate[];
}

/** Ties, steps over clock changes, nights without a backup, and bursts. */
function randomHistories(random: () => number): readonly History[] {
  const pick = (below: number) => Math.floor(random() * below);
  const steps = [0, 60_000, hourMs / 2, hourMs, 6 * hourMs, dayMs, dayMs, 7 * dayMs, 31 * dayMs];
  return Array.from({ length: histories }, (_, at) => {
    const widest = 2 + pick(steps.length - 1);
    // Some begin about the last Sunday of October, when clocks go back.
    let timeMs =
      random() < 0.5 ? Date.UTC(2025, 9, 27, pick(48)) : Date.UTC(2024, pick(24), pick(30), pick(24), pick(60));
    const backups = Array.from({ length: 1 + pick(22) }, (_, nr): Candidate => {
      timeMs -= steps[pick(widest)]!;
      const consistentAt = new Date(timeMs);
      return { id: `${at}-${99 - nr}`, consistentAt, partial: false, pinned: false, restoring: false, expiring: false };
    });
    return { timezone: zones[at % zones.length]!, backups };
  });
}

async function objectsOf(store: Parameters<typeof openKey>[0]): Promise<SealedObjects> {
  const { master } = await openKey(store, new Secret(password));
  return new SealedObjects(store, new Sealer(master));
}

/** As a machine in that zone writes them. */
async function writeSnapshots(folder: string, objects: SealedObjects, made: readonly History[]): Promise<void> {
  await mkdir(join(folder, 'snapshots'), { recursive: true });
  for (const [at, { timezone, backups }] of made.entries()) {
    for (const { consistentAt } of backups) {
      const snapshot = {
        time: localTime(consistentAt, timezone),
        tree: randomBytes(32).toString('hex'),
        paths: ['/nothing'],
        hostname: 'here',
        tags: [`h${at}`],
      };
      const { id, bytes } = objects.seal(snapshot);
      await writeFile(join(folder, 'snapshots', id), bytes);
    }
  }
}

/** RFC 3339 with the offset that the zone had then. */
function localTime(time: Date, timezone: string): string {
  const wallMs = zoneClock(timezone).wallMs(time.getTime());
  const minutes = (wallMs - time.getTime()) / 60_000;
  const two = (value: number) => String(Math.floor(value)).padStart(2, '0');
  const offset = `${minutes < 0 ? '-' : '+'}${two(Math.abs(minutes) / 60)}:${two(Math.abs(minutes) % 60)}`;
  return new Date(wallMs).toISOString().replace('Z', offset);
}

function resticRules(rules: Partial<RetentionPolicy>): string[] {
  return Object.entries(rules).flatMap(([rule, value]) =>
    rule === 'withinMs' ? ['--keep-within', `${value / hourMs}h`] : [`--keep-${rule}`, String(value)],
  );
}

interface ResticGroup {
  readonly tags: readonly string[];
  readonly keep: readonly { readonly time: string }[] | null;
  readonly remove: readonly { readonly time: string }[] | null;
  readonly reasons:
    | readonly { readonly snapshot: { readonly time: string }; readonly matches: readonly string[] }[]
    | null;
}

/** Sorted: those of one moment restic takes in no order. */
function resticDecisions({ reasons, remove }: ResticGroup): string[] {
  const kept = (reasons ?? []).map(({ snapshot, matches }) => line(new Date(snapshot.time), matches.map(ruleOf)));
  const gone = (remove ?? []).map(({ time }) => line(new Date(time), []));
  return [...kept, ...gone].sort();
}

/** `daily snapshot`, `oldest daily snapshot`, `within 26h`. */
function ruleOf(match: string): string {
  return match.replace(/ snapshot$/, '').replace(/^within .*/, 'within');
}

/** From 0.17 on restic keeps the oldest of all while a rule has counts left; those before it go on as if it did not. */
async function keepsOldestOnes(restic: Restic): Promise<boolean> {
  const [, major, minor] = /^restic (\d+)\.(\d+)/.exec((await restic(['version'])).stdout) ?? [];
  return Number(major) > 0 || Number(minor) >= 17;
}

function ourRules(reasons: readonly Reason[], withOldest: boolean): string[] {
  return reasons
    .filter(({ rule }) => !['last-good', 'minimum', 'nothing'].includes(rule))
    .map(({ rule, text }) => (text.startsWith('oldest') ? `oldest ${rule}` : rule))
    .filter((rule) => withOldest || !rule.startsWith('oldest'));
}

function line(time: Date, rules: readonly string[]): string {
  return `${time.toISOString()} ${rules.toSorted().join(', ')}`.trim();
}
