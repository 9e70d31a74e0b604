import { TidemarkError } from '../../../core/error.ts';
import type { Connection } from '../protocol/connection.ts';
import type { Server } from '../server.ts';
import { takeCensus } from './census.ts';
import { type Grants, readGrants } from './grants.ts';
import { type Missable, type Missing, missingPrivileges } from './privileges.ts';
import { parseSelection } from './selection.ts';

export interface Looking {
  readonly control: Connection;
  readonly server: Server;
  readonly include: readonly string[];
  readonly exclude: readonly string[];
}

/** What the account may not see of a selection, and what it may do at all. */
export async function readSight(looking: Looking): Promise<{ grants: Grants; missing: Missing[] }> {
  const { control, server, include, exclude } = looking;
  const grants = await readGrants(control, server.flavour);
  const { entries } = await takeCensus(control, parseSelection(include, exclude), undefined);
  const rows = await control.rows('SELECT schema_name AS name FROM information_schema.schemata');
  const databases = rows.map((row) => row.name!);
  const wish = { include, exclude, databases, visible: [...entries.values()] };
  return { grants, missing: missingPrivileges(grants, server, wish) };
}

/** Throws SOURCE_DENIED with every GRANT that is needed, but for those that the user does without. */
export function refuseUnseen(
  missing: readonly Missing[],
  allows: ReadonlySet<Missable>,
  account: string,
  subject: string,
): void {
  const refused = missing.filter((one) => !allows.has(one.what));
  if (refused.length === 0) return;
  const kinds = [...new Set(refused.map((one) => one.what))];
  throw new TidemarkError(
    'SOURCE_DENIED',
    `the account ${account} may not see all that is selected, and would leave it out: ${kinds.join(', ')}`,
    {
      subject,
      hint: `Run: ${refused.map((one) => `${one.grant};`).join(' ')} Or let backups do without: allowMissing: [${kinds.join(', ')}].`,
    },
  );
}
