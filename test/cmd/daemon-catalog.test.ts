import assert from 'node:assert/strict';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { waitFor } from '../kit/process.ts';
import { startDaemon } from './daemon-kit.ts';
import { home, inside, yamlFor } from './kit.ts';

test('jobs go on in the catalog of their daemon whatever becomes of the configuration file', async (t) => {
  const at = await home(t, { plan: 'schedule: "* * * * * *"' });
  await at.inside('apply', '--auto-approve');
  await startDaemon(t, at);
  const reader = join(at.folder, 'reader.yaml');
  await writeFile(reader, 'daemon: { catalog: "sqlite:catalog.db" }\n');
  const ended = async () => {
    const { stdout } = await inside(['jobs', '--json', '--limit', '1000', '--config', reader], { cwd: at.folder });
    const { jobs } = JSON.parse(stdout) as { jobs: { state: string; error?: unknown }[] };
    return jobs.filter(({ state }) => !['running', 'queued', 'missed'].includes(state));
  };
  const yaml = yamlFor(at.folder, 'schedule: "* * * * * *"');
  for (const spoil of [
    () => at.write('sources: [\n'),
    () => rm(at.configuration),
    () => at.write(yaml.replace('sqlite:catalog.db', 'sqlite:another.db')),
  ]) {
    await spoil();
    const before = (await ended()).length;
    await waitFor('three more jobs', async () => (await ended()).length >= before + 3, { timeoutMs: 60_000 });
    await at.write(yaml);
    for (const job of await ended()) assert.equal(job.state, 'succeeded', JSON.stringify(job.error));
  }
});
