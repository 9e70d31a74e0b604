/** Of format version 1, which restic before 0.14 made: its programs could not read what we write. */
export const formatOneText = 'the repository has format version 1: it is read and restored from, and not written to';
/** The packs stay as they are; restic needs to be 0.14 or newer to read it from then on. */
export const upgradeHint =
  'Upgrade it with restic 0.14 or newer: `restic -r PATH migrate upgrade_repo_v2`. It takes seconds, and backups go on from there.';

/** Where what is to be done writes. restic itself upgrades nothing in which it sees damage, and it looks at no contents. */
export function afterUpgrade(hint: string): string {
  if (!/`tidemark (repository repair|prune)/.test(hint)) return hint;
  return `The repository has format version 1, to which neither a repair nor a prune writes: upgrade it first with \`restic -r PATH migrate upgrade_repo_v2\` (restic 0.14 or newer). Where that refuses for the damage, \`restic -r PATH repair index\` (\`rebuild-index\` before 0.16) and, for what is lost, \`restic -r PATH repair snapshots --forget\` come before it. Then: ${hint}`;
}
