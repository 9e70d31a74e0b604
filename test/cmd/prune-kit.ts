import { randomBytes } from 'node:crypto';
import { readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { Surroundings } from '../../cmd/surroundings.ts';
import { type Catalog, openSqliteCatalog } from '../../core/catalog/index.ts';
import { systemClock } from '../../core/clock.ts';
import { type Restic, restic } from '../kit/restic.ts';
import { type Home, home, password } from './kit.ts';

export interface PruneHome extends Home {
  readonly catalog: Catalog;
  readonly judge: Restic;
  /** Makes this many backups, each with a megabyte that no other has. Gives their ids, oldest first. */
  backUp(number: number, plan?: string): Promise<string[]>;
  /** What restic lists. */
  snapshots(): Promise<string[]>;
  /** What the packs take on disk. */
  packBytes(): Promise<number>;
  /** The ids that the catalog lists, newest first. */
  ids(): Promise<string[]>;
}

/** A home whose plan keeps the last two backups, and that has applied it. */
export async function pruneHome(
  t: TestContext,
  {
    plans = ['docs-daily'],
    retention = '{ last: 2 }',
    daemon = 'grace: 0s, maxUnused: "0%"',
    surroundings = {},
  } = {} as {
    plans?: readonly string[];
    retention?: string;
    daemon?: string;
    surroundings?: Partial<Surroundings>;
  },
): Promise<PruneHome> {
  const at = await home(t, { surroundings });
  await at.write(pruneYaml(at.folder, plans, retention, daemon));
  const applied = await at.inside('apply', '--auto-approve');
  if (applied.code !== 0) throw new Error(applied.stderr);
  const catalog = await openSqliteCatalog(join(at.folder, 'catalog.db'), systemClock);
  t.after(() => catalog[Symbol.asyncDispose]());
  const judge = await restic(t, at.repository, password);
  return {
    ...at,
    catalog,
    judge,
    async backUp(number, plan = plans[0]!) {
      const ids: string[] = [];
      for (let count = 0; count < number; count++) {
        await writeFile(join(at.data, 'own.bin'), randomBytes(1_000_000));
        const made = await at.inside('backup', plan, '--json');
        if (made.code !== 0) throw new Error(made.stderr + made.stdout);
        ids.push(JSON.parse(made.stdout).backup);
      }
      return ids;
    },
    async snapshots() {
      const listed = JSON.parse((await judge(['snapshots', '--json'])).stdout) as { id: string }[] | null;
      return (listed ?? []).map(({ id }) => id).sort();
    },
    async packBytes() {
      const folder = join(at.repository, 'data');
      const names = (await readdir(folder, { recursive: true })).filter((name) => name.length > 40);
      const sizes = await Promise.all(names.map(async (name) => (await stat(join(folder, name))).size));
      return sizes.reduce((sum, size) => sum + size, 0);
    },
    ids: async () => (await catalog.backups.list()).map(({ id }) => id),
  };
}

export function pruneYaml(folder: string, plans: readonly string[], retention: string, daemon: string): string {
  const lines = plans.map((name) => `  ${name}: { source: docs, destinations: [disk], manual: true, retention: few }`);
  return `sources:
  docs: { driver: files, paths: [${join(folder, 'data')}] }
destinations:
  disk: { driver: local, path: ${join(folder, 'repository')}, password: "\${file:${join(folder, 'password')}}" }
retention:
  few: ${retention}
plans:
${lines.join('\n')}
daemon: { catalog: "sqlite:catalog.db", listen: "127.0.0.1:0", prune: { ${daemon} } }
`;
}
