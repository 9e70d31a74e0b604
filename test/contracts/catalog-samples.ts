import { ulid } from 'ulid';
import type { BackupWithManifest, DaemonRecord, NewJob } from '../../core/catalog/index.ts';
import type { Clock } from '../../core/clock.ts';
import type { Resource } from '../../core/config/types.ts';

/** Time that stands still until a test moves it. */
export interface ManualClock extends Clock {
  advance(ms: number): void;
}

export function manualClock(start = '2026-03-01T00:00:00Z'): ManualClock {
  let nowMs = Date.parse(start);
  return {
    now: () => new Date(nowMs),
    monotonicMs: () => nowMs,
    sleep: () => Promise.reject(new Error('a manual clock does not sleep')),
    advance: (ms) => {
      nowMs += ms;
    },
  };
}

export function resource(address: string, spec: Record<string, unknown> = {}): Resource {
  const [collection, name] = address.split('.') as [Resource['collection'], string];
  return { address, collection, name, spec };
}

export function backup(change: Partial<BackupWithManifest> = {}): BackupWithManifest {
  const at = change.consistentAt ?? new Date('2026-03-01T00:00:00Z');
  const id = change.id ?? ulid(at.getTime());
  const names = { plan: 'nightly', source: 'shop', destination: 'nas', ...change };
  return {
    id,
    snapshot: change.snapshot ?? Buffer.from(id.padEnd(32)).toString('hex'),
    driver: 'mysql',
    type: 'logical',
    selection: { include: ['shop.*'], exclude: [] },
    startedAt: at,
    endedAt: new Date(at.getTime() + 60_000),
    consistentAt: at,
    sizeBytes: 5_000_000_000,
    addedBytes: 1000,
    items: 12,
    partial: false,
    warnings: ['one table was left out'],
    identity: 'uuid',
    manifest: manifest(id, names.plan, names.source, at),
    ...names,
  };
}

export function job(change: Partial<NewJob> = {}): NewJob {
  const source = change.source ?? 'shop';
  return {
    kind: 'backup',
    trigger: 'manual',
    source,
    plan: 'nightly',
    request: { plan: 'nightly' },
    uses: [
      { thing: `sources.${source}`, mode: 'read' },
      { thing: `backups:logical:sources.${source}`, mode: 'write' },
    ],
    attempts: 3,
    ...change,
  };
}

export function daemon(owner: string, until: Date): DaemonRecord {
  const configuration = { state: 'applied', text: 'serial 1', at: new Date('2026-03-01T00:00:00Z') } as const;
  return { owner, pid: 42, host: 'db1', version: '0.1.0', startedAt: configuration.at, until, configuration };
}

function manifest(id: string, plan: string, source: string, at: Date): BackupWithManifest['manifest'] {
  return {
    format: 1,
    tidemark: '0.1.0',
    id,
    plan,
    source,
    driver: 'mysql',
    type: 'logical',
    selection: { include: ['shop.*'], exclude: [] },
    startedAt: at.toISOString(),
    endedAt: at.toISOString(),
    flavour: 'MariaDB',
    version: '10.11',
    identity: 'uuid',
    consistentPoint: { time: at.toISOString(), gtid: '0-1-7' },
    totals: { items: 12, bytes: 5_000_000_000 },
    contents: [{ name: 'shop.orders', rows: 3 }],
    warnings: [],
    partial: false,
  };
}
