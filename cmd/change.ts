import { type ApplyResult, apply, type ChangeSet, diff, observe, type Probes } from '../core/change/index.ts';
import type { Configuration } from '../core/config/index.ts';
import { hasErrors } from '../core/diagnostic.ts';
import type { OperationContext } from '../core/operation/index.ts';
import type { Workspace } from './compose.ts';
import { invalidConfiguration } from './output.ts';

/** The desired state as the files have it. Shows warnings; throws CONFIG_INVALID with all that is wrong. */
export async function readDesired(workspace: Workspace, options: { secrets: boolean }): Promise<Configuration> {
  const { configuration, diagnostics } = await workspace.configuration(options);
  if (configuration === undefined || hasErrors(diagnostics)) throw invalidConfiguration(diagnostics);
  if (!workspace.output.json) workspace.output.diagnostics(diagnostics);
  return configuration;
}

/** What would make the applied state the desired one, now. */
export async function changeSetFor(workspace: Workspace, desired: Configuration): Promise<ChangeSet> {
  const catalog = await workspace.catalog();
  const applied = await catalog.state.read();
  const { destinations } = await workspace.drivers();
  const now = workspace.surroundings.clock.now();
  const observed = await observe(catalog, { desired: desired.resources, applied: applied.resources });
  return diff({ desired, applied, observed, now, destinations });
}

/** Makes a change set the applied state; errors are those of `core/change`. */
export async function applyChangeSet(
  workspace: Workspace,
  changeSet: ChangeSet,
  signal: AbortSignal,
): Promise<ApplyResult> {
  const context = await workspace.operationContext();
  const probes = await probesFor(context);
  return apply({ changeSet, catalog: context.catalog, probes, clock: context.clock, signal });
}

/** How sources and destinations are tried out before they are applied. */
export async function probesFor(context: OperationContext): Promise<Probes> {
  const { prepareDestination, prepareSource } = await import('../core/operation/index.ts');
  return {
    source: (resource, signal) => prepareSource(context, resource, signal),
    destination: (resource, signal, missing) => prepareDestination(context, resource, signal, missing),
  };
}
