import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { run } from '../kit/process.ts';
import { type Home, home } from './kit.ts';

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

test('a verb loads what it needs', async (t) => {
  const place = await home(t);
  assert.equal((await place.tidemark('apply', '--auto-approve')).code, 0);
  for (const [line, rooms] of Object.entries(needs)) {
    const loaded = await modulesOf(place, line.split(' '));
    const may = [...always, ...rooms];
    const others = loaded.filter((module) => !may.some((room) => isIn(module, room)));
    assert.deepEqual(others, [], `tidemark ${line}`);
  }
});

/** `core/x.ts`, `kysely/…`, `node:http` as far as it costs something. */
async function modulesOf({ folder }: Home, args: readonly string[]): Promise<string[]> {
  const file = join(folder, 'loaded');
  const hook = join(project, 'test/kit/note-modules.ts');
  const ran = await run(process.execPath, ['--import', hook, join(project, 'cmd/main.ts'), ...args], {
    cwd: args[0] === 'init' ? join(folder, 'data') : folder,
    env: { ...process.env, LOADED_MODULES: file },
  });
  assert.equal(ran.code, 0, ran.stderr);
  return readFileSync(file, 'utf8')
    .split('\n')
    .map(shortName)
    .filter((name) => !isCheap(name));
}

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
