import type { Catalog } from '../catalog/index.ts';
import {
  type Action,
  apply,
  type ChangeSet,
  diff,
  hasRefusals,
  isDestructive,
  isEmpty,
  limitProbes,
  observe,
  type Probes,
} from '../change/index.ts';
import type { Clock } from '../clock.ts';
import type { Configuration, LoadedConfiguration } from '../config/index.ts';
import type { Diagnostic } from '../diagnostic.ts';
import { asTidemarkError } from '../error.ts';
import { firstOf } from '../first-of.ts';
import type { Turns } from '../turns.ts';
import type { DaemonContext, ReconcileOutcome } from './context.ts';
import { probeKey } from './probe-key.ts';

export interface ReconcileSources {
  readonly catalog: Catalog;
  readonly clock: Clock;
  readonly probes: Probes;
  load(): Promise<LoadedConfiguration>;
}

/** What does not answer in time is tried again later. To make a repository at a slow destination takes some seconds. */
const probeTimeoutMs = 60_000;

/** Makes the `reconcile` of a daemon: reads the files and applies a change set that is harmless, and no other. */
export function createReconcile(sources: ReconcileSources): DaemonContext['reconcile'] {
  return async (signal, alive, turns) => {
    const { configuration, diagnostics } = await sources.load();
    if (configuration === undefined) return { state: 'invalid', text: describeDiagnostics(diagnostics) };
    const inTurn = takeTurns(sources.probes, turns);
    const probes = telling(limitProbes(inTurn, sources.clock, probeTimeoutMs), alive);
    return reconcile({ ...sources, probes }, configuration, signal);
  };
}

/** A probe that was given up may still be under way when the next reading wants to know the same. */
function takeTurns(probes: Probes, turns: Turns): Probes {
  return {
    source: (resource, signal) => turns(probeKey(resource), signal, () => probes.source(resource, signal)),
    destination: (resource, signal, missing) =>
      turns(probeKey(resource), signal, () => probes.destination(resource, signal, missing)),
  };
}

function telling(probes: Probes, alive: () => void): Probes {
  return {
    source: (...given) => probes.source(...given).finally(alive),
    destination: (...given) => probes.destination(...given).finally(alive),
  };
}

async function reconcile(
  sources: ReconcileSources,
  desired: Configuration,
  signal: AbortSignal,
): Promise<ReconcileOutcome> {
  const { catalog, clock, probes } = sources;
  const applied = await catalog.state.read();
  const observed = await observe(catalog, { desired: desired.resources, applied: applied.resources });
  const changeSet = diff({ desired, applied, observed, now: clock.now() });
  if (isEmpty(changeSet)) return { state: 'applied', text: `serial ${applied.serial}` };
  const pendingChanges = changeSet.actions.length;
  if (hasRefusals(changeSet) || isDestructive(changeSet)) {
    return { state: 'pending', text: describeHeld(changeSet), pendingChanges };
  }
  try {
    const { state } = await apply({ changeSet, catalog, probes, clock, signal });
    return { state: 'applied', text: `serial ${state.serial}` };
  } catch (thrown) {
    signal.throwIfAborted();
    const { code, message, kind } = asTidemarkError(thrown);
    if (kind === 'bug' || code === 'CATALOG_UNREADABLE') throw thrown;
    return { state: 'pending', text: `could not be applied: ${code}: ${message}`, pendingChanges, retry: true };
  }
}

function describeHeld({ actions }: ChangeSet): string {
  const held = actions.filter((action) => action.kind === 'refuse' || action.destructive);
  return shown(held.map((action) => `${action.kind} ${action.address}: ${action.reason}${expiringText(action)}`));
}

function expiringText({ consequences }: Action): string {
  const count = consequences.reduce((sum, { expiring = [] }) => sum + expiring.length, 0);
  return count === 0 ? '' : `, by which ${count} ${count === 1 ? 'backup' : 'backups'} would expire`;
}

function describeDiagnostics(diagnostics: readonly Diagnostic[]): string {
  const errors = diagnostics.filter((one) => one.severity === 'error');
  return shown(
    errors.map(({ position, summary }) =>
      position === undefined ? summary : `${position.file}:${position.line}:${position.column}: ${summary}`,
    ),
  );
}

function shown(lines: readonly string[]): string {
  return firstOf(lines, 10, '; ');
}
