import { exitCodes } from '../../../core/error-codes.ts';
import { type RepairJobResult, repairJob } from '../../../core/job/index.ts';
import type { RepairPlan } from '../../../core/repository/index.ts';
import type { Workspace } from '../../compose.ts';
import { confirm } from '../../confirm.ts';
import { followJob } from '../../follow-job.ts';
import type { Register } from '../../verb.ts';
import { noProgress } from '../../views/progress.ts';
import { isEmptyPlan, repairedText, repairPlanText } from '../../views/repair.ts';

interface RepairFlags {
  readonly dryRun?: boolean;
  readonly autoApprove?: boolean;
  readonly quick?: boolean;
}

export const registerRepair: Register = (repository, bind) => {
  repository
    .command('repair')
    .description('Make a damaged repository whole again: its index from its packs, its backups without what is lost.')
    .argument('<destination>', 'name of an applied destination')
    .option('--dry-run', 'only show what would be done')
    .option('--auto-approve', 'do it without asking')
    .option('--quick', 'read of the data only what earlier checks found damaged, not all')
    .action(bind(repair, { windsDown: true }));
};

async function repair(workspace: Workspace, name: string, flags: RepairFlags): Promise<number> {
  const { output, signal } = workspace;
  const { planRepair } = await import('../../../core/operation/index.ts');
  const context = await workspace.operationContext();
  const run = { signal, progress: noProgress };
  output.say(flags.quick === true ? 'looking for damage\n' : 'looking for damage, and reading all data\n');
  const { plan, warnings: met } = await planRepair(context, name, { quick: flags.quick === true }, run);
  for (const warning of output.json ? [] : met) output.warn(warning);
  const text = () => repairPlanText(plan, output.look);
  if (flags.dryRun === true || isEmptyPlan(plan)) {
    output.result(text, { destination: name, plan: planJson(plan) });
    return plan.left.length > 0 && isEmptyPlan(plan) ? exitCodes.partial : exitCodes.ok;
  }
  if (flags.autoApprove !== true) {
    output.draw(text());
    await confirm(workspace, `Repair ${name}?`);
  }
  const job = await followJob(workspace, repairJob(name, plan), `repair ${name}`);
  const result = job.result as unknown as RepairJobResult;
  const warnings = [...plan.left.map((text) => `left as it is: ${text}`), ...result.warnings];
  for (const warning of output.json ? [] : warnings) output.warn(warning);
  output.result(() => repairedText(result, output.look), {
    destination: name,
    plan: planJson(plan),
    job: job.id,
    repaired: result,
  });
  return result.verdict === 'good' && result.lessened === 0 ? exitCodes.ok : exitCodes.partial;
}

function planJson({ fingerprint: _, ...plan }: RepairPlan) {
  return plan;
}
