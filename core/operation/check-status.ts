import type { CheckStatus } from '../catalog/index.ts';
import { firstOf } from '../first-of.ts';
import type { CheckReport } from '../repository/index.ts';

/**
 * What is to be remembered of a check. Pure. What a check could not read it reads again the next time, whatever its slice:
 * while anything is left of that, not all data was read.
 */
export function statusAfter(before: CheckStatus, report: CheckReport, now: Date): CheckStatus {
  const { verdict, suspects, read, counts } = report;
  const { damage, roundSince, readThrough, readWholeAt, ...rest } = before;
  const told = verdict === 'good' ? undefined : verdict === 'damaged' ? damageText(report) : damage;
  const through = read.endsRound ? undefined : (read.through ?? readThrough);
  const since = read.endsRound ? undefined : (roundSince ?? (read.through === undefined ? undefined : now));
  const whole = read.endsRound && counts.unread === 0 ? now : readWholeAt;
  return {
    ...rest,
    checkedAt: now,
    verdict,
    suspects: suspects.length > mostSuspects ? 'all' : suspects,
    ...(told !== undefined && { damage: told }),
    ...(through !== undefined && { readThrough: through }),
    ...(since !== undefined && { roundSince: since }),
    ...(whole !== undefined && { readWholeAt: whole }),
  };
}

/** More are damaged only where much is. */
const mostSuspects = 10_000;
const namedFindings = 3;

function damageText({ findings, counts, backups, hurtBackups }: CheckReport): string {
  const texts = findings
    .filter(({ severity }) => severity === 'damage')
    .map(({ object, text }) => `${object}: ${text}`);
  const more = counts.damage > texts.length ? `; ${counts.damage - texts.length} more findings` : '';
  const hurt = `${hurtBackups} of ${backups} backups ${hurtBackups === 1 ? 'is' : 'are'} not whole`;
  return `${hurt}; ${firstOf(texts, namedFindings, '; ')}${more}`;
}
