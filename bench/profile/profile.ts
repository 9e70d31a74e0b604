import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run, runOk } from '../../test/kit/process.ts';
import type { Lab } from '../lab.ts';
import { type ProfileCase, profileCases } from './cases.ts';
import { readAllocations, readCpuProfiles } from './stacks.ts';
import { spendingTable, threadTable } from './tables.ts';
import { watchThreads } from './thread-times.ts';
import { timelineTable } from './timeline.ts';

const timeoutMs = 60 * 60_000;

/**
 * Shows where a verb's time and memory go, in four runs of it: as it is, with the threads' CPU time watched; with what it
 * waits for noted; with V8's profilers in every thread; and under strace.
 */
export async function profile(lab: Lab, names: readonly string[]): Promise<void> {
  const unknown = names.find((name) => profileCases[name] === undefined);
  if (names.length === 0 || unknown !== undefined)
    throw new Error(`name cases to profile: ${Object.keys(profileCases).join(', ')}`);
  for (const name of names) {
    const one = await profileCases[name]!(lab);
    console.log(`\n## ${name}: \`tidemark ${one.args.join(' ')}\`\n`);
    await showThreads(one);
    await showTimeline(one);
    await showFunctions(one);
    await showCalls(one);
  }
  for (const name of ['profile', 'restored', 'small']) await lab.emptyFolder(name);
}

async function showThreads(one: ProfileCase): Promise<void> {
  await one.prepare(1);
  const startedMs = performance.now();
  const child = spawn(one.tidemark.launcher, one.tidemark.argsOf(one.args), { stdio: ['ignore', 'ignore', 'inherit'] });
  const threads = watchThreads(child.pid!);
  const [code] = await once(child, 'exit');
  const wallSeconds = (performance.now() - startedMs) / 1000;
  if (code !== 0) throw new Error(`tidemark ended with exit code ${code}`);
  console.log(`${wallSeconds.toFixed(2)} s wall\n\n${threadTable(threads.stop())}\n`);
}

async function showTimeline(one: ProfileCase): Promise<void> {
  await one.prepare(2);
  const folder = await mkdtemp(join(tmpdir(), 'tidemark-profile-'));
  const file = join(folder, 'timeline.json');
  const probe = `${new URL('./timeline-probe.ts', import.meta.url)}?file=${file}`;
  await one.tidemark.run(one.args, {
    timeoutMs,
    env: { TIDEMARK_NODE: await nodeWith(folder, `'--import=${probe}'`) },
  });
  console.log(`${timelineTable(JSON.parse(await readFile(file, 'utf8')))}\n`);
  await rm(folder, { recursive: true });
}

/** The path of a Node that is always started with these flags. */
async function nodeWith(folder: string, flags: string): Promise<string> {
  const node = join(folder, 'node');
  await writeFile(node, `#!/bin/sh\nexec '${process.execPath}' ${flags} "$@"\n`, { mode: 0o700 });
  return node;
}

async function showFunctions(one: ProfileCase): Promise<void> {
  await one.prepare(3);
  const folder = await mkdtemp(join(tmpdir(), 'tidemark-profile-'));
  const probe = `${new URL('./probe.ts', import.meta.url)}?folder=${folder}`;
  const flags = `--cpu-prof --cpu-prof-interval=500 '--cpu-prof-dir=${folder}' '--import=${probe}'`;
  await one.tidemark.run(one.args, { timeoutMs, env: { TIDEMARK_NODE: await nodeWith(folder, flags) } });
  const cpu = readCpuProfiles(folder);
  const allocations = readAllocations(folder);
  const ms = { name: 'ms', size: 1000 };
  const mib = { name: 'MiB', size: 2 ** 20 };
  console.log(`${spendingTable('function, without what it calls', ms, cpu, (one) => one.byFunction, 30)}\n`);
  console.log(`${spendingTable('file, with what it calls elsewhere', ms, cpu, (one) => one.byFile, 25)}\n`);
  console.log(`${spendingTable('allocated in the heap by', mib, allocations, (one) => one.byFunction, 20)}\n`);
  await rm(folder, { recursive: true });
}

async function showCalls(one: ProfileCase): Promise<void> {
  const hasStrace = (await run('sh', ['-c', 'command -v strace'])).code === 0;
  if (!hasStrace) return console.log('System calls are counted where strace is installed.');
  await one.prepare(4);
  const folder = await mkdtemp(join(tmpdir(), 'tidemark-profile-'));
  const list = join(folder, 'calls');
  const { launcher } = one.tidemark;
  await runOk('strace', ['-f', '-c', '-S', 'calls', '-o', list, launcher, ...one.tidemark.argsOf(one.args)], {
    timeoutMs,
  });
  console.log(`\`\`\`\n${(await readFile(list, 'utf8')).split('\n').slice(0, 27).join('\n')}\n\`\`\``);
  await rm(folder, { recursive: true });
}
