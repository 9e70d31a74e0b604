/** What an account may lack the sight of; a source's `allowMissing` names those that its backups do without. */
export const missables = [
  'databases',
  'tables',
  'columns',
  'views',
  'triggers',
  'events',
  'routines',
  'dictionary',
] as const;
export type Missable = (typeof missables)[number];
