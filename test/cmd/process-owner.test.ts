import assert from 'node:assert/strict';
import { hostname } from 'node:os';
import { test } from 'node:test';
import { processOwner, startedAt } from '../../cmd/process-owner.ts';
import { start } from '../kit/process.ts';

const here = processOwner(hostname(), process.pid);

test('a process is told from one that gets its number later, and from those of other hosts and containers', () => {
  assert.equal(here.fate(here.owner), 'alive');
  const [, boot, numbers, startedAt] = /\/([0-9a-f]+)\.(\d+)\.(\d+)\.[0-9a-f]+$/.exec(here.owner)!;
  const namespace = `${boot}.${numbers}`;
  const owner = (host: string, pid: number, space = namespace, start = startedAt) =>
    `${host}/${pid}/${space}.${start}.ab`;
  assert.equal(here.fate(owner(hostname(), process.pid, namespace, String(Number(startedAt) - 1))), 'gone');
  assert.equal(here.fate(owner(hostname(), 4_194_304)), 'gone');
  assert.equal(here.fate(owner('elsewhere', process.pid)), 'unknown');
  assert.equal(here.fate(owner(hostname(), process.pid, `${boot}.1`)), 'unknown');
  assert.equal(
    here.fate(owner(hostname(), 4_194_304, `abcdef01.${numbers}`)),
    'unknown',
    'another machine of that name',
  );
  assert.equal(here.fate('db1/1/abcd'), 'unknown');
  assert.notEqual(processOwner(hostname(), process.pid).owner, here.owner);
});

test('a process that is killed is gone', async (t) => {
  const child = await start(t, 'sleep', ['100']);
  const { owner } = processOwner(hostname(), child.pid);
  assert.equal(here.fate(owner), 'alive');
  const ageMs = Date.now() - startedAt(child.pid)!.getTime();
  assert(ageMs > -2000 && ageMs < 30_000, `started ${ageMs} ms ago`);
  await child.end('SIGKILL');
  assert.equal(here.fate(owner), 'gone');
});
