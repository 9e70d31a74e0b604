import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort } from '../../test/kit/port.ts';
import { type Running, start, waitFor } from '../../test/kit/process.ts';
import { tempFolder } from '../../test/kit/temp.ts';
import { type MariadbServer, startMariadb } from '../../test/servers/mariadb.ts';
import { configuration } from './configuration.ts';
import { type Narrator, narrator } from './narrator.ts';
import { breakSite, fillShop, fillSite, shopChecksums, siteContents } from './sample.ts';

interface Scene {
  readonly tell: Narrator;
  readonly folder: string;
  readonly site: string;
  readonly server: MariadbServer;
  /** For what is to be ended, also when the story breaks off. */
  readonly stack: AsyncDisposableStack;
}

const stack = new AsyncDisposableStack();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => leave(`ended by ${signal}`, signal === 'SIGINT' ? 130 : 143));
}
try {
  await story(stack);
  await stack.disposeAsync();
} catch (error) {
  await leave(error instanceof Error ? error.message : String(error), 1);
}

async function subfolder(folder: string, name: string): Promise<string> {
  await mkdir(join(folder, name));
  return join(folder, name);
}

/** Cleans up and goes. */
async function leave(reason: string, exitCode: number): Promise<never> {
  console.error(`\nquickstart failed: ${reason}`);
  await stack.disposeAsync();
  process.exit(exitCode);
}

async function story(stack: AsyncDisposableStack): Promise<void> {
  const scene = await setTheScene(stack);
  const daemon = await fromYamlToBackups(scene);
  const before = { shop: await shopChecksums(scene.server), site: await siteContents(scene.site) };
  const newest = { shop: await newestBackup(scene, 'shop'), site: await newestBackup(scene, 'site') };
  await accident(scene);
  await restore(scene, newest);
  await prove(scene, before);
  await daemon.end('SIGTERM', 60_000);
  await openWithRestic(scene);
  whereNext(scene);
}

async function setTheScene(stack: AsyncDisposableStack): Promise<Scene> {
  const folder = await tempFolder(stack, 'quickstart');
  const tell = narrator(folder, console.log);
  tell.step('A private MariaDB with a small shop, and a folder with a small website');
  const server = await startMariadb(stack, { folder: await subfolder(folder, 'mariadb') });
  await fillShop(server);
  const site = await subfolder(folder, 'site');
  await fillSite(site);
  tell.say(`Everything happens below ${folder} and is removed at the end.`);
  return { tell, folder, site, server, stack };
}

async function fromYamlToBackups({ tell, folder, server, stack }: Scene): Promise<Running> {
  tell.step('The configuration: what to back up, where to, when');
  await writeFile(join(folder, 'shop.password'), server.password, { mode: 0o600 });
  await writeFile(join(folder, 'box.password'), 'correct horse battery staple', { mode: 0o600 });
  await writeFile(join(folder, 'tidemark.yaml'), configuration(folder, server, await freePort()));
  await subfolder(folder, 'box');
  await tell.show('cat', ['tidemark.yaml']);
  await tell.show('tidemark', ['validate']);

  tell.step('What would change, and changing it');
  await tell.show('tidemark', ['plan']);
  await tell.show('tidemark', ['apply', '--auto-approve']);

  tell.step('The daemon makes backups on schedule');
  tell.say('$ tidemark daemon &');
  const launcher = join(import.meta.dirname, '../../cmd/tidemark');
  const daemon = await start(stack, launcher, ['daemon'], { cwd: folder, logFile: join(folder, 'daemon.log') });
  await waitForBackups(tell, daemon);
  await tell.show('tidemark', ['backups']);
  await tell.show('tidemark', ['status']);
  return daemon;
}

async function waitForBackups(tell: Narrator, daemon: Running): Promise<void> {
  let ended = false;
  daemon.ended.then(() => {
    ended = true;
  });
  const isDone = async () => {
    if (ended) return true;
    const listed = await tell.ask('tidemark', ['backups', '--json']);
    return ['shop', 'site'].every((source) => listed.includes(`"${source}"`));
  };
  const wait = waitFor('scheduled backups of both sources', isDone, { timeoutMs: 90_000, everyMs: 500 });
  await wait.catch((error: Error) =>
    Promise.reject(new Error(`${error.message}; the daemon said:\n${daemon.output()}`)),
  );
  if (ended) throw new Error(`the daemon ended:\n${daemon.output()}`);
}

async function accident({ tell, server, site }: Scene): Promise<void> {
  tell.step('An accident');
  tell.say(`$ mariadb --execute 'DROP TABLE shop.orders'`);
  await server.query('DROP TABLE orders', 'shop');
  tell.say(`$ rm -r site/pages; echo -n oops > site/deploy.sh`);
  await breakSite(site);
}

/** The daemon goes on: by the time of a restore there may be a backup of what the accident has left. */
async function newestBackup({ tell }: Scene, source: string): Promise<string> {
  const { backups } = JSON.parse(await tell.ask('tidemark', ['backups', source, '--json']));
  return backups[0].id;
}

async function restore({ tell }: Scene, newest: { shop: string; site: string }): Promise<void> {
  tell.step('Back to what was there before it: one table into the live server, and the folder in place');
  const restore = (source: string, ...args: string[]) =>
    tell.show('tidemark', ['restore', source, ...args, '--into', source, '--auto-approve']);
  await restore('shop', '--backup', newest.shop, '--only', 'shop.orders');
  await restore('site', '--backup', newest.site, '--overwrite');
}

async function prove({ tell, server, site }: Scene, before: { shop: string[]; site: string[] }): Promise<void> {
  tell.step('Proof');
  const after = { shop: await shopChecksums(server), site: await siteContents(site) };
  for (const line of after.shop) tell.say(`    CHECKSUM TABLE ${line}`);
  assert.deepEqual(after.shop, before.shop, 'the tables are not what they were');
  tell.say('The tables have the checksums from before the accident.');
  assert.deepEqual(after.site, before.site, 'the files are not what they were');
  tell.say(
    `All ${after.site.length} files and folders have the names, modes, times and contents from before the accident.`,
  );
}

async function openWithRestic({ tell }: Scene): Promise<void> {
  tell.step('No lock-in: the repository is one of restic');
  tell.say('The daemon has ended; tidemark is not needed to read what it wrote.');
  const common = ['--repo', 'box', '--password-file', 'box.password', '--no-cache'];
  await tell.show('restic', [...common, 'snapshots', '--compact', '--latest', '1']);
  await tell.show('restic', [...common, 'check']);
}

function whereNext({ tell }: Scene): void {
  tell.step('Where to look next');
  tell.say('  tidemark --help                  the commands');
  tell.say('  examples/                        configurations to begin with');
  tell.say('  docs/reference/configuration.md  every option');
  tell.say('  README.md                        the words, the formats, how to add a driver');
}
