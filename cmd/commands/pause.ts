import { appliedPlan } from '../../core/applied.ts';
import type { Catalog, NewEvent } from '../../core/catalog/index.ts';
import type { PlanSettings } from '../../core/config/index.ts';
import { exitCodes } from '../../core/error-codes.ts';
import { passedUntil } from '../../core/schedule/index.ts';
import type { Workspace } from '../compose.ts';
import type { Register } from '../verb.ts';

export const registerPause: Register = (program, bind) => {
  program
    .command('pause')
    .description('Stop scheduling a plan until `tidemark resume`. What runs goes on; runs by hand still work.')
    .argument('<plan>', 'name of an applied plan')
    .action(bind((workspace, plan: string) => setPaused(workspace, plan, workspace.surroundings.clock.now())));
};

export const registerResume: Register = (program, bind) => {
  program
    .command('resume')
    .description('Schedule a paused plan again.')
    .argument('<plan>', 'name of an applied plan')
    .action(bind((workspace, plan: string) => setPaused(workspace, plan, null)));
};

async function setPaused(workspace: Workspace, name: string, pausedAt: Date | null): Promise<number> {
  const catalog = await workspace.catalog();
  const plan = await appliedPlan(catalog, await workspace.drivers(), name);
  const { emit } = await workspace.jobContext();
  const event = emit.event(pausedAt === null ? 'plan.resumed' : 'plan.paused', `plans.${name}`, 'by hand');
  const { status, changes } = await changePause(catalog, plan, pausedAt, workspace.surroundings.clock.now(), event);
  const word = pausedAt === null ? 'resumed' : 'paused';
  const text = changes ? `plan ${name} is ${word}\n` : `plan ${name} was not changed: it is ${word} already\n`;
  workspace.output.result(text, { plan: name, pausedAt: status.pausedAt, changed: changes });
  return exitCodes.ok;
}

/** What was due during the pause has passed, also when no daemon was there to see it pass. */
async function changePause({ plans }: Catalog, plan: PlanSettings, pausedAt: Date | null, now: Date, event: NewEvent) {
  for (;;) {
    const before = await plans.get(plan.name);
    if ((before.pausedAt === undefined) === (pausedAt === null)) return { status: before, changes: false };
    const scheduledThrough = passedUntil(plan, now, before.scheduledThrough);
    const change = pausedAt === null ? { pausedAt, scheduledThrough } : { pausedAt };
    const status = await plans.updateFrom(before, change, event);
    if (status !== undefined) return { status, changes: true };
  }
}
