import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { builtStart } from '../kit/built.ts';
import { run } from '../kit/process.ts';
import { type Home, home, launcher } from './kit.ts';

const project = join(import.meta.dirname, '../..');

/**
 * What a verb may load, beside what every verb loads. Rooms and packages as they begin: `core/catalog`, `kysely`. Whoever
 * needs more adds it here, and knows then that the verb starts later: `npm run bench -- start`.
 */
const always = ['cmd', 'core/*.ts', 'commander'];
const configuration = ['core/config', 'core/driver', 'yaml', 'croner', 'node:sqlite'];
const catalog = [...configuration, 'core/catalog', 'kysely', 'ulid'];
const knowsDrivers = [
  'drivers/index.ts',
  'drivers/files/*.ts',
  'drivers/files/local/local.ts',
  'drivers/mysql/*.ts',
  'drivers/mysql/inventory/*.ts',
];
const schedules = ['core/schedule', 'core/overview', 'core/observe'];
const validation = ['core/retention', 'ajv', 'fast-uri', 'fast-deep-equal', 'json-schema-traverse'];
const jobs = ['core/job'];
const repository = ['core/repository', 'core/operation', 'core/restore', 'core/retention', 'sodium-native'];
const ofSodium = ['require-addon', 'bare-addon-resolve', 'bare-module-resolve', 'bare-semver', 'which-runtime'];
const data = [...repository, ...ofSodium, 'koffi', '@koromix', 'drivers/files', 'node:worker_threads'];

const needs: Readonly<Record<string, readonly string[]>> = {
  '--version': [],
  init: [],
  'completion bash': [],
  schema: [...configuration, ...knowsDrivers],
  validate: [...configuration, ...knowsDrivers, ...validation],
  jobs: [...catalog, ...schedules],
  events: [...catalog, ...schedules],
  backups: [...catalog, ...schedules],
  status: [...catalog, ...knowsDrivers, ...schedules, ...jobs],
  'pause docs-daily': [...catalog, ...knowsDrivers, ...schedules, ...jobs],
  'backup docs-daily': [...catalog, ...knowsDrivers, ...schedules, ...jobs, ...data],
};

test('a verb loads what it needs, from its source', async (t) => {
  const lines = ['--version', 'validate', 'status', 'backup docs-daily'];
  await loadsWhatItNeeds(t, lines, join(project, 'cmd/start.ts'), (url) => [url]);
});

test('a verb loads what it needs, from few files, when it is built', async (t) => {
  const files = await loadsWhatItNeeds(t, Object.keys(needs), await builtStart(), modulesIn);
  assert.ok(files['--version']! < 15, `${files['--version']} files for --version`);
  assert.ok(files['backup docs-daily']! < 80, `${files['backup docs-daily']} files for a backup`);
});

test('where all is in UTC no verb makes a format of Intl, which costs 10 ms and 8 MiB', async (t) => {
  const place = await home(t, { plan: 'schedule: "0 3 * * *"' });
  assert.equal((await place.tidemark('apply', '--auto-approve')).code, 0);
  const noIntl = 'data:text/javascript,Intl.DateTimeFormat = class { constructor() { throw new Error("Intl") } }';
  for (const line of ['status', 'jobs', 'backup docs-daily']) {
    const args = ['--import', noIntl, await builtStart(), ...line.split(' ')];
    const ran = await run(process.execPath, args, { cwd: place.folder });
    assert.equal(ran.code, 0, `${line}: ${ran.stderr}`);
  }
});

/** Gives how many files each line loaded. */
async function loadsWhatItNeeds(
  t: TestContext,
  lines: readonly string[],
  start: string,
  modules: (url: string) => string[],
): Promise<Record<string, number>> {
  const place = await home(t);
  assert.equal((await place.tidemark('apply', '--auto-approve')).code, 0);
  const files: Record<string, number> = {};
  for (const line of lines) {
    const urls = await loadedBy(place, start, line.split(' '));
    files[line] = urls.filter((url) => !url.startsWith('node:')).length;
    const may = [...always, ...needs[line]!];
    const loaded = urls.flatMap(modules).map(shortName);
    const others = loaded.filter((module) => !isCheap(module) && !may.some((room) => isIn(module, room)));
    assert.deepEqual(others, [], `tidemark ${line}`);
  }
  return files;
}

async function loadedBy({ folder }: Home, start: string, args: readonly string[]): Promise<string[]> {
  const file = join(folder, 'loaded');
  const hook = join(project, 'test/kit/note-modules.ts');
  const ran = await run(process.execPath, ['--import', hook, start, ...args], {
    cwd: args[0] === 'init' ? join(folder, 'data') : folder,
    env: { ...process.env, LOADED_MODULES: file },
  });
  assert.equal(ran.code, 0, ran.stderr);
  return readFileSync(file, 'utf8').split('\n');
}

/** The modules that a built file is made of, by its source map; of what is not built, itself. No source is loaded beside it. */
function modulesIn(url: string): string[] {
  if (url.startsWith('node:') || url.includes('/node_modules/')) return [url];
  assert.match(url, /^file:.*\/(dist|test)\//);
  if (!url.includes('/dist/')) return [url];
  const text = readFileSync(new URL(url), 'utf8');
  if (url.includes('/rolldown-runtime-') || !text.includes('//#region')) return []; // of no module
  const { sources } = JSON.parse(readFileSync(new URL(`${url}.map`), 'utf8')) as { sources: string[] };
  return sources.filter((source) => !source.startsWith('\0')).map((source) => new URL(source, url).href);
}

/** `core/x.ts`, `kysely/…`, `node:http` as far as it costs something. */
function shortName(url: string): string {
  const path = url.replace(/^file:\/\//, '').replace(`${project}/`, '');
  return path.replace(/^.*node_modules\//, '');
}

const heavy = [
  'node:sqlite',
  'node:worker_threads',
  'node:http',
  'node:https',
  'node:net',
  'node:tls',
  'node:readline',
];

function isCheap(name: string): boolean {
  return (name.startsWith('node:') && !heavy.includes(name)) || name.endsWith('.json') || name.startsWith('test/');
}

/** `room/*.ts`: right in it. */
function isIn(module: string, room: string): boolean {
  const [folder, rest] = room.split('/*');
  return rest === undefined
    ? module === room || module.startsWith(`${room}/`)
    : module.startsWith(`${folder}/`) && !module.slice(folder!.length + 1).includes('/');
}

test('in a folder that was removed a verb says so, without a stack', async (t) => {
  const { folder } = await home(t);
  const script = 'mkdir "$1/gone" && cd "$1/gone" && rmdir "$1/gone" && exec "$2" status';
  const told = await run('sh', ['-c', script, 'sh', folder, launcher]);
  assert.equal(told.code, 3, told.stderr);
  assert.match(told.stderr, /^error USAGE: the folder .* is not there any more$/m);
  assert.doesNotMatch(told.stderr, /uv_cwd|node:internal/);
});
