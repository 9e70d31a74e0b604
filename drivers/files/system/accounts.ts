import { readFileSync } from 'node:fs';

/** Names of users and groups as `/etc/passwd` and `/etc/group` have them; a number without a name has none. */
export interface Accounts {
  user(uid: number): string | undefined;
  group(gid: number): string | undefined;
}

export function readAccounts(): Accounts {
  const users = readNames('/etc/passwd');
  const groups = readNames('/etc/group');
  return { user: (uid) => users.get(uid), group: (gid) => groups.get(gid) };
}

/** Lines `name:password:number:…`; the first name of a number counts. */
function readNames(path: string): Map<number, string> {
  const names = new Map<number, string>();
  for (const line of readIfPresent(path).split('\n')) {
    const [name, , number] = line.split(':');
    if (name && number && !names.has(Number(number))) names.set(Number(number), name);
  }
  return names;
}

function readIfPresent(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  }
}
