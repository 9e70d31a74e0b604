import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from '../test/kit/port.ts';
import { start, waitFor } from '../test/kit/process.ts';
import type { Lab } from './lab.ts';
import { openTidemark } from './tidemark.ts';

const launcher = join(import.meta.dirname, '../cmd/tidemark');
const settleMs = 20_000;

/** What a daemon costs that has nothing to do, and how long `status` takes beside it. */
export async function idle(lab: Lab): Promise<void> {
  if (!lab.wants('idle-daemon') && !lab.wants('idle-status')) return;
  const listen = `127.0.0.1:${await freePort()}`;
  const tidemark = await openTidemark(await lab.emptyFolder('idle'), {
    sources: { etc: { driver: 'files', paths: ['/etc'] } },
    plans: { etc: { source: 'etc', schedule: '0 3 * * *', destinations: ['box'] } },
    listen,
  });
  const daemon = await start(lab.stack, launcher, ['-c', tidemark.configFile, 'daemon']);
  const isReady = async () => (await fetch(`http://${listen}/readyz`)).ok;
  await waitFor('the daemon', isReady);
  await delay(settleMs);
  if (lab.wants('idle-daemon')) {
    const peakMiB = await residentMiB(daemon.pid);
    lab.report({
      name: 'idle-daemon',
      medians: [{ who: 'tidemark', sample: { wallSeconds: Number.NaN, cpuSeconds: Number.NaN, peakMiB } }],
    });
  }
  if (lab.wants('idle-status')) await lab.compare('idle-status', { tidemark: () => tidemark.measure(['status']) });
  await daemon.end('SIGTERM');
}

async function residentMiB(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)![1]) / 1024;
}
