import { exitCodes } from '../../../core/error-codes.ts';
import type { LockFacts } from '../../../core/repository/index.ts';
import type { Workspace } from '../../compose.ts';
import { confirm } from '../../confirm.ts';
import type { Register } from '../../verb.ts';
import { locksTable } from '../../views/locks.ts';
import { count } from '../../views/words.ts';

interface UnlockFlags {
  readonly all?: boolean;
  readonly autoApprove?: boolean;
}

export const registerUnlock: Register = (repository, bind) => {
  repository
    .command('unlock')
    .description('Show the locks and take away those that nobody holds any more.')
    .argument('<destination>', 'name of an applied destination')
    .option('--all', 'take away all of them: what works under one that is held ends')
    .option('--auto-approve', 'with `--all`: do it without asking')
    .action(bind(unlock));
};

async function unlock(workspace: Workspace, name: string, { all = false, autoApprove }: UnlockFlags): Promise<number> {
  const { output, signal } = workspace;
  const { listLocks, removeLocks } = await import('../../../core/operation/index.ts');
  const context = await workspace.operationContext();
  const locks = (await listLocks(context, name, signal)).map(withoutHolder);
  const removed = locks.filter(({ state }) => all || state === 'stale');
  if (all && autoApprove !== true && removed.some(({ state }) => state !== 'stale')) {
    output.draw(locksTable(locks, output.messageLook));
    await confirm(workspace, `Take away all locks of ${name}, also those that are held?`);
  }
  await removeLocks(
    context,
    name,
    removed.map(({ id }) => id),
    signal,
  );
  const left = all ? 0 : locks.filter(({ state }) => state === 'unreadable').length;
  if (left > 0) output.warn(unreadableText(left, name));
  const text = () => `${locksTable(locks, output.look)}${count(removed.length, 'lock')} taken away\n`;
  output.result(text, { destination: name, locks, removed: removed.map(({ id }) => id) });
  return left > 0 ? exitCodes.partial : exitCodes.ok;
}

function unreadableText(left: number, name: string): string {
  const which = left === 1 ? '1 lock is damaged and keeps' : `${left} locks are damaged and keep`;
  return `${which} everybody out: when nothing works with the repository, \`tidemark repository unlock ${name} --all\` takes away all locks`;
}

/** Locks have more fields than others have business with. */
function withoutHolder({ id, state, by }: LockFacts): LockFacts {
  if (by === undefined) return { id, state };
  const { time, exclusive, hostname, username, pid, use } = by;
  return { id, state, by: { time, exclusive, hostname, username, pid, ...(use !== undefined && { use }) } };
}
