import { ServerError } from '../protocol/server-error.ts';
import { isAtLeast, type Server } from '../server.ts';
import type { Look } from './look.ts';
import type { Need } from './needs.ts';

/**
 * What it takes to make objects for definers other than oneself. MySQL asks for more where a definer is a system user or
 * does not exist, which only an account that may read the table of accounts can know before; others meet the refusal.
 */
export async function definerNeeds(look: Look, scripts: readonly { readonly path: string }[]): Promise<Need[]> {
  const { grants, server } = look;
  const mayAny = anyDefiner(server).some((one) => grants.may(one));
  const mayMore =
    server.flavour === 'mariadb' ||
    furtherNeeds.every(({ since, privilege }) => !isAtLeast(server, { mysql: since }) || grants.may(privilege));
  if (mayAny && mayMore) return [];
  const definers = await foreignDefiners(look, scripts);
  if (definers.size === 0) return [];
  return [...(mayAny ? [] : [{ privileges: anyDefiner(server) }]), ...(await furtherOf(look, definers))];
}

function anyDefiner(server: Server): string[] {
  if (isAtLeast(server, { mariadb: 1005 })) return ['SET USER', 'SUPER'];
  if (isAtLeast(server, { mysql: 802 })) return ['SET_ANY_DEFINER', 'SUPER'];
  return isAtLeast(server, { mysql: 800 }) ? ['SET_USER_ID', 'SUPER'] : ['SUPER'];
}

const furtherNeeds = [
  {
    since: 800,
    privilege: 'SYSTEM_USER',
    accounts: "SELECT user, host FROM mysql.global_grants WHERE priv = 'SYSTEM_USER'",
    listed: true,
  },
  { since: 802, privilege: 'ALLOW_NONEXISTENT_DEFINER', accounts: 'SELECT user, host FROM mysql.user', listed: false },
];

async function furtherOf({ control, server, grants }: Look, definers: ReadonlySet<string>): Promise<Need[]> {
  const needs: Need[] = [];
  for (const { since, privilege, accounts, listed } of furtherNeeds) {
    if (!isAtLeast(server, { mysql: since }) || grants.may(privilege)) continue;
    const rows = await control.rows(accounts).catch((error) => {
      if (error instanceof ServerError) return undefined;
      throw error;
    });
    const known = rows && new Set(rows.map((row) => `${row.user ?? row.User}@${row.host ?? row.Host}`));
    if (known !== undefined && [...definers].some((one) => known.has(one) === listed))
      needs.push({ privileges: [privilege] });
  }
  return needs;
}

/** `root@localhost`, of definitions as the server prints them, but for the account itself. */
async function foreignDefiners(
  { files, grants, request }: Look,
  scripts: readonly { readonly path: string }[],
): Promise<Set<string>> {
  const definers = new Set<string>();
  for (const { path } of scripts) {
    request.signal.throwIfAborted();
    for (const [, user = '', host] of (await files.textOf(path)).matchAll(clause)) {
      definers.add(`${plain(user)}${host === undefined ? '' : `@${plain(host)}`}`);
    }
  }
  definers.delete(grants.account);
  return definers;
}

const clause = /^CREATE [^\n]*?\bDEFINER ?= ?`((?:[^`]|``)*)`(?:@`((?:[^`]|``)*)`)?/gm;

function plain(quoted: string): string {
  return quoted.replaceAll('``', '`');
}
