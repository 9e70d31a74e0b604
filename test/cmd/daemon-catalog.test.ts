import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { test } from 'node:test';
import { startDaemon } from './daemon-kit.ts';
import { home, inside, yamlFor } from './kit.ts';

test('jobs go on in the catalog of their daemon whatever becomes of the configuration file', async (t) => {
  const at = await home(t, { plan: 'schedule: "* * * * * *"' });
  await at.inside('apply', '--auto-approve');
  await startDaemon(t, at);
  const states = async () => {
    const told = await inside(['jobs', '--json', '--config', at.configuration], { cwd: at.folder });
    return told.code === 0 ? (JSON.parse(told.stdout).jobs as { id: string; state: string; error?: unknown }[]) : [];
  };
  const yaml = yamlFor(at.folder, 'schedule: "* * * * * *"');
  for (const spoil of [
    () => at.write('sources: [\n'),
    () => rm(at.configuration),
    () => at.write(yaml.replace('sqlite:catalog.db', 'sqlite:another.db')),
  ]) {
    await spoil();
    await new Promise((resolve) => setTimeout(resolve, 3500));
    await at.write(yaml);
    const ended = (await states()).filter(
      ({ state }) => state !== 'running' && state !== 'queued' && state !== 'missed',
    );
    assert.ok(ended.length > 0);
    for (const job of ended) assert.equal(job.state, 'succeeded', JSON.stringify(job.error));
  }
});
