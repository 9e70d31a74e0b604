import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Contender, openContenders } from './files.ts';
import type { Lab } from './lab.ts';
import type { Sample } from './measure.ts';

/** What it costs at the least: a backup of one small file into a repository that has it, and a look at what there is. */
export async function smallFile(lab: Lab): Promise<void> {
  if (!lab.wants('one-small-file-backup') && !lab.wants('one-small-file-status')) return;
  const folder = await lab.emptyFolder('small');
  writeFileSync(join(folder, 'file'), 'one small file\n');
  const contenders = await openContenders(lab, folder);
  const each = (work: (who: Contender) => Promise<Sample>) =>
    Object.fromEntries([...contenders].map(([name, who]) => [name, () => work(who)]));
  for (const who of contenders.values()) {
    await who.reset();
    await who.backup();
  }
  const backup = each((who) => who.backup());
  if (lab.wants('one-small-file-backup')) await lab.compare('one-small-file-backup', backup);
  const list = each((who) => who.list());
  if (lab.wants('one-small-file-status')) await lab.compare('one-small-file-status', list);
  for (const name of [...contenders.keys(), 'small']) await lab.emptyFolder(name);
}
