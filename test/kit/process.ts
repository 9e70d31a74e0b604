import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { atEnd, type Owner } from './scope.ts';

export interface RunOptions {
  readonly cwd?: string;
  /** Added to the environment; `undefined` takes a variable away. */
  readonly env?: Record<string, string | undefined>;
  readonly input?: string | Uint8Array;
  /** One minute when not given; then the process is killed and `run` rejects. */
  readonly timeoutMs?: number;
}

export interface Ran {
  /** `null` when a signal ended it. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly stdoutBytes: Buffer;
}

/** Runs a command to its end, whatever its exit code. */
export function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const timeoutMs = options.timeoutMs ?? 60_000;
  return new Promise((resolve, reject) => {
    const child = execFile(
      command,
      args,
      { ...placeOf(options), encoding: 'buffer', maxBuffer: 2 ** 30, timeout: timeoutMs, killSignal: 'SIGKILL' },
      (error, stdout, stderr) => {
        if (error?.code === 'ENOENT') reject(missingCommand(command));
        else if (error?.killed) reject(new Error(`${command} was killed after ${timeoutMs} ms\n${stderr}`));
        else resolve(ranOf(child, stdout, stderr));
      },
    );
    child.stdin?.on('error', () => {}); // a command may end without reading its input
    child.stdin?.end(options.input ?? '');
  });
}

/** As `run`, and rejects with what the command said when it fails. */
export async function runOk(command: string, args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const ran = await run(command, args, options);
  if (ran.code === 0) return ran;
  throw new Error(
    `${command} ${args.join(' ')}: ${ran.signal ?? `exit code ${ran.code}`}\n${ran.stderr.slice(-4000)}${ran.stdout.slice(-2000)}`,
  );
}

export interface Running {
  readonly child: ChildProcess;
  readonly pid: number;
  /** What it has printed so far, both streams. */
  output(): string;
  /** Resolves when it has ended, however. */
  readonly ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  /** Sends the signal and waits for the end; does nothing when it has ended. */
  end(signal: NodeJS.Signals, timeoutMs?: number): Promise<void>;
}

/** Starts a command that runs until it is ended: at the latest at the end of the test, or when the test's own process dies. */
export async function start(
  t: Owner,
  command: string,
  args: readonly string[],
  options: Omit<RunOptions, 'input' | 'timeoutMs'> & { logFile?: string } = {},
): Promise<Running> {
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', command, ...args], {
    ...placeOf(options),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = once(child, 'close').then(([code, signal]) => ({ code, signal }));
  const output = collect(child, options.logFile);
  atEnd(t, () => end(child, ended, 'SIGKILL', 10_000));
  await once(child, 'spawn').catch(() => Promise.reject(missingCommand('setpriv')));
  return {
    child,
    pid: child.pid!,
    output,
    ended,
    end: (signal, timeoutMs = 20_000) => end(child, ended, signal, timeoutMs),
  };
}

/** Asks until the answer is truthy and gives it. A rejected check counts as "not yet" and is named when time is over. */
export async function waitFor<T>(
  what: string,
  check: () => T | Promise<T>,
  { timeoutMs = 20_000, everyMs = 20 } = {},
): Promise<NonNullable<T>> {
  const deadlineMs = performance.now() + timeoutMs;
  let lastError: unknown;
  for (;;) {
    try {
      const answer = await check();
      if (answer) return answer;
    } catch (error) {
      lastError = error;
    }
    if (performance.now() > deadlineMs) {
      throw new Error(`waited ${timeoutMs} ms in vain for ${what}`, { cause: lastError });
    }
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}

function placeOf(options: Pick<RunOptions, 'cwd' | 'env'>) {
  const path = `${process.env.PATH}:/usr/sbin:/sbin`;
  return { cwd: options.cwd, env: { ...process.env, PATH: path, ...options.env } };
}

function ranOf(child: ChildProcess, stdout: Buffer, stderr: Buffer): Ran {
  return {
    code: child.exitCode,
    signal: child.signalCode,
    stdout: stdout.toString(),
    stderr: stderr.toString(),
    stdoutBytes: stdout,
  };
}

function collect(child: ChildProcess, logFile: string | undefined): () => string {
  const chunks: Buffer[] = [];
  const log = logFile === undefined ? undefined : createWriteStream(logFile, { flags: 'a' });
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      log?.write(chunk);
    });
  }
  child.once('close', () => log?.end());
  return () => Buffer.concat(chunks).toString();
}

async function end(child: ChildProcess, ended: Promise<unknown>, signal: NodeJS.Signals, timeoutMs: number) {
  child.kill(signal);
  const timeout = AbortSignal.timeout(timeoutMs);
  const late = new Promise((_, reject) => {
    timeout.onabort = () => reject(new Error(`process ${child.pid} still runs ${timeoutMs} ms after ${signal}`));
  });
  await Promise.race([ended, late]);
}

function missingCommand(command: string): Error {
  const packages = readFileSync(join(import.meta.dirname, '../packages.txt'), 'utf8');
  const name = packages.split('\n').find((line) => line.startsWith(`${command} `));
  const install = name === undefined ? 'install it' : `apt-get install --no-install-recommends ${name.split(' ')[1]}`;
  return new Error(`the command ${command} is missing: ${install}`);
}
