import type { BackupRecord, BackupWithManifest, Job } from '../catalog/index.ts';
import { isSafe, type Overview, type PlanOverview, type SourceOverview } from './overview.ts';

/** The JSON of an overview: see `docs/reference/json.md`. */
export function overviewJson(overview: Overview) {
  const { serial, daemons, sources, destinations, problems } = overview;
  return { safe: isSafe(overview), problems, serial, daemons, sources: sources.map(sourceJson), destinations };
}

function sourceJson({ name, driver, state, newest, plans, problems }: SourceOverview) {
  const newestBackup = newest === undefined ? undefined : backupJson(newest);
  return { name, driver, state, problems, newestBackup, plans: plans.map(planJson) };
}

function planJson({ settings, status, newest, newestWhole, nextRun, active, lastError }: PlanOverview) {
  const { name, type, schedule, timezone, destinations } = settings;
  const { pausedAt, suspended, lastFailureAt } = status;
  return {
    name,
    type,
    schedule,
    timezone,
    destinations,
    nextRunAt: nextRun,
    pausedAt,
    suspended,
    lastSuccessAt: newestWhole?.endedAt,
    lastFailureAt,
    lastError,
    newestBackup: newest?.id,
    activeJob: active?.id,
  };
}

/** The JSON of a backup: see `docs/reference/json.md`. */
export function backupJson(backup: BackupRecord) {
  const {
    manifest: _,
    selection: _s,
    identity: _i,
    damage: _d,
    ...rest
  } = backup as Partial<BackupWithManifest> & BackupRecord;
  return rest;
}

/** The JSON of a job: see `docs/reference/json.md`. */
export function jobJson(job: Job) {
  const { lease, uses: _, waiter: __, source, ...rest } = job;
  return {
    ...rest,
    ...(source === '' ? {} : { source }),
    ...(lease === undefined ? {} : { runner: lease.owner }),
  };
}
