import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type MariadbServer, startMariadb } from '../test/servers/mariadb.ts';
import { checksums, fillDatabase } from './database.ts';
import type { Lab } from './lab.ts';
import { measure, measureStored, type Sample } from './measure.ts';
import { openTidemark, type Tidemark } from './tidemark.ts';

interface Servers {
  readonly source: MariadbServer;
  /** Empty; what is loaded goes here. */
  readonly target: MariadbServer;
}

const serverArgs = [
  '--innodb-buffer-pool-size=1G',
  '--innodb-log-file-size=512M',
  '--max-allowed-packet=64M',
  '--local-infile=1',
];

/** Dump and load of a database, against the server's own client and against mydumper. */
export async function logical(lab: Lab): Promise<void> {
  const names = ['logical-dump', 'logical-unchanged', 'logical-load'];
  if (!names.some(lab.wants)) return;
  const servers = await openServers(lab);
  const tidemark = await openTidemarkLogical(await lab.emptyFolder('tidemark-logical'), servers);
  const backup = () => measureStored(tidemark.repositoryFolder, () => tidemark.measure(['backup', 'shop']));

  if (lab.wants('logical-dump')) {
    await lab.compare('logical-dump', {
      'mariadb-dump | zstd -1': () => dumpByClient(lab, servers.source),
      mydumper: () => dumpByMydumper(lab, servers.source),
      tidemark: async () => {
        await tidemark.reset();
        return backup();
      },
    });
  } else {
    await dumpByClient(lab, servers.source);
    await dumpByMydumper(lab, servers.source);
    await backup();
  }
  if (lab.wants('logical-unchanged')) {
    await lab.compare('logical-unchanged', {
      'mariadb-dump | zstd -1': () => dumpByClient(lab, servers.source),
      tidemark: backup,
    });
  }
  if (lab.wants('logical-load')) await compareLoad(lab, servers, tidemark);
}

async function compareLoad(lab: Lab, servers: Servers, tidemark: Tidemark): Promise<void> {
  const wanted = await checksums(servers.source, 'bench');
  const load = async (run: () => Promise<Sample>) => {
    await servers.target.query('DROP DATABASE IF EXISTS bench');
    const sample = await run();
    if ((await checksums(servers.target, 'bench')) !== wanted)
      throw new Error('what was loaded is not what was dumped');
    return sample;
  };
  const { socket } = servers.target;
  const client = `zstd -dc '${join(lab.dataFolder, 'work/dumps/dump.sql.zst')}' | mariadb --no-defaults --socket='${socket}' --user=root`;
  const myloaderArgs = [
    ...login(servers.target),
    '--threads=2',
    '--directory',
    join(lab.dataFolder, 'work/mydumper/dump'),
  ];
  await lab.compare('logical-load', {
    'zstd -d | mariadb': () => load(() => shell(client)),
    myloader: () => load(() => measure('myloader', myloaderArgs)),
    tidemark: () => load(() => tidemark.measure(['restore', 'shop', '--into', 'empty'])),
  });
}

/** The one with the data, and an empty one. */
export async function openServers(lab: Lab): Promise<Servers> {
  const folder = join(lab.dataFolder, `mariadb-${lab.seed}-${lab.scale}`);
  await mkdir(folder, { recursive: true });
  const source = await startMariadb(lab.stack, { folder, args: serverArgs });
  const target = await startMariadb(lab.stack, { folder: await lab.emptyFolder('target'), args: serverArgs });
  await fillDatabase(source, lab.seed, lab.scale);
  return { source, target };
}

export function openTidemarkLogical(folder: string, { source, target }: Servers): Promise<Tidemark> {
  const server = ({ socket }: MariadbServer) => ({ driver: 'mysql', socket, user: 'root' });
  return openTidemark(folder, {
    sources: { shop: server(source), empty: server(target) },
    plans: { shop: { source: 'shop', type: 'logical', include: ['bench.*'], manual: true, destinations: ['box'] } },
  });
}

async function dumpByClient(lab: Lab, { socket }: MariadbServer): Promise<Sample> {
  const folder = await lab.emptyFolder('dumps');
  const dump = `mariadb-dump --no-defaults --socket='${socket}' --user=root --single-transaction --databases bench`;
  return measureStored(folder, () => shell(`${dump} | zstd -q -1 > '${folder}/dump.sql.zst'`));
}

async function dumpByMydumper(lab: Lab, server: MariadbServer): Promise<Sample> {
  const folder = await lab.emptyFolder('mydumper');
  const args = [
    ...login(server),
    '--database=bench',
    '--threads=2',
    '--compress',
    '--trx-consistency-only',
    '--outputdir',
    join(folder, 'dump'),
  ];
  return measureStored(folder, () => measure('mydumper', args));
}

function login({ socket }: MariadbServer): string[] {
  return [`--socket=${socket}`, '--user=root'];
}

function shell(script: string): Promise<Sample> {
  return measure('bash', ['-o', 'pipefail', '-c', script]);
}
