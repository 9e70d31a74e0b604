import { randomBytes } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import type { ProcessFate } from '../core/catalog/index.ts';

/** Who this process is to others that share a catalog with it, and what it can know of them. */
export interface ProcessOwner {
  /** `HOST/PID/BOOT.NAMESPACE.START.RANDOM`: no other process has it, also not one that gets the same number later. */
  readonly owner: string;
  /**
   * Certain only of processes of the same boot of the same host, since many machines are called `localhost`, and of the same
   * namespace of numbers: a container has its own.
   */
  fate(owner: string): ProcessFate;
}

export function processOwner(host: string, pid: number): ProcessOwner {
  const namespace = `${bootId()}.${pidNamespace()}`;
  const owner = `${host}/${pid}/${namespace}.${startOf(pid) ?? 0}.${randomBytes(4).toString('hex')}`;
  return {
    owner,
    fate: (other) => {
      const [, ofHost, ofPid, ofNamespace, start] =
        /^(.*)\/(\d+)\/([0-9a-f]+\.\d+)\.(\d+)\.[0-9a-f]+$/.exec(other) ?? [];
      if (ofHost !== host || ofNamespace !== namespace) return 'unknown';
      return lives(Number(ofPid), Number(start)) ? 'alive' : 'gone';
    },
  };
}

/** A part of the random number that the kernel drew when it started; 0 where there is no /proc. */
function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').slice(0, 8);
  } catch {
    return '0';
  }
}

/** The inode that stands for it; 0 where there is no /proc. */
function pidNamespace(): string {
  try {
    return /\d+/.exec(readlinkSync('/proc/self/ns/pid'))?.[0] ?? '0';
  } catch {
    return '0';
  }
}

/** A process whose /proc cannot be read, as with hidepid, is there all the same. */
function lives(pid: number, start: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  const now = startOf(pid);
  return now === undefined || start === 0 || now === start;
}

/**
 * When a process started, in clock ticks since the boot, as proc_pid_stat(5) has it: its name stands in brackets and may
 * hold anything, and the start is the 20th field after them. One that is dead and not reaped has -1, which no other has.
 */
function startOf(pid: number): number | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' || fields[0] === 'X' ? -1 : Number(fields[19]);
  } catch {
    return undefined;
  }
}

const ticksPerSecond = 100; // USER_HZ, the same for every Linux of today

/** When a process of this host started, by the clock as it is now; undefined where that cannot be known. */
export function startedAt(pid: number): Date | undefined {
  const ticks = startOf(pid);
  if (ticks === undefined || ticks < 0) return undefined;
  const bootSeconds = Number(/^btime (\d+)$/m.exec(readFileSync('/proc/stat', 'latin1'))?.[1]);
  return Number.isNaN(bootSeconds) ? undefined : new Date((bootSeconds + ticks / ticksPerSecond) * 1000);
}
