import crypto from 'node:crypto';
import fs from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type {
  BackupThreadContext,
  Chunking,
  Content,
  FileEnd,
  RestoreThreadContext,
  ThreadContext,
  ThreadSession,
} from '../../../core/driver/index.ts';

/** A thread module for tests: what a driver might do in a thread, and what goes wrong there. */
export const moduleUrl = import.meta.url;

export interface Setup {
  readonly failOpenIn?: number;
  readonly failClose?: boolean;
}

export type Task =
  | { kind: 'write'; chunking: Chunking; pieces: readonly Uint8Array[]; cutAfter?: readonly number[] }
  | { kind: 'part'; path: string; start: number; end: number; sizeBytes: number }
  | { kind: 'small-blobs'; seed: string; count: number }
  | { kind: 'random'; seed: string; sizeBytes: number }
  | { kind: 'hash'; content: Content }
  /** Tells which thread it is, after so many milliseconds. */
  | { kind: 'thread'; afterMs?: number }
  | { kind: 'length'; bytes: Uint8Array<ArrayBuffer> }
  | { kind: 'context' }
  /** Stores one blob while no memory can be had. */
  | { kind: 'no-memory'; blob: Uint8Array }
  | { kind: 'throw' }
  | { kind: 'exit' }
  | { kind: 'spin' }
  /** For scatter: the file to write. */
  | { kind: 'file'; path: string; log: Int32Array; file: number };

export type Result = Content | string | number;

export function open(setup: Setup, context: ThreadContext): ThreadSession<Task, Result> {
  if (setup.failOpenIn === context.thread) throw new Error('open was told to fail');
  return {
    run: (task) => runTask(context as Both, task),
    blob: writeBlob,
    close() {
      if (setup.failClose) throw new Error('close was told to fail');
    },
  };
}

/** A thread has one half or the other; tasks for the half that it has not got fail. */
type Both = BackupThreadContext & RestoreThreadContext;

function runTask(context: Both, task: Task): Result | Promise<Result> {
  switch (task.kind) {
    case 'write':
      return write(context, task);
    case 'part':
      return storePart(context, task);
    case 'small-blobs':
      return smallBlobs(context, task);
    case 'random':
      return randomContent(context, task);
    case 'hash':
      return hash(context, task.content);
    case 'thread':
      return task.afterMs === undefined ? context.thread : delay(task.afterMs, context.thread);
    case 'length':
      return task.bytes.length;
    case 'context':
      return Object.keys(context).sort().join(' ');
    case 'no-memory':
      return withoutMemory(() => context.blob(task.blob));
    case 'throw':
      throw new Error('the task was told to fail');
    case 'exit':
      return process.exit(0);
    case 'spin':
      for (;;);
    case 'file':
      throw new Error('a file is for scatter');
  }
}

function write(context: BackupThreadContext, task: Task & { kind: 'write' }): Content {
  const writer = context.writer(task.chunking);
  for (const [at, piece] of task.pieces.entries()) {
    writer.write(piece);
    if (task.cutAfter?.includes(at)) writer.cut();
  }
  return writer.end();
}

function storePart(context: BackupThreadContext, { path, start, end, sizeBytes }: Task & { kind: 'part' }): Content {
  const descriptor = fs.openSync(path, 'r');
  try {
    return context.filePart(descriptor, { start, end }, sizeBytes);
  } finally {
    fs.closeSync(descriptor);
  }
}

/** As a process at the limit of its memory. */
function withoutMemory<T>(work: () => T): T {
  const { allocUnsafeSlow } = Buffer;
  Buffer.allocUnsafeSlow = () => {
    throw new RangeError('Array buffer allocation failed');
  };
  try {
    return work();
  } finally {
    Buffer.allocUnsafeSlow = allocUnsafeSlow;
  }
}

function smallBlobs(context: BackupThreadContext, { seed, count }: Task & { kind: 'small-blobs' }): Content {
  const contents = Array.from({ length: count }, (_, at) => context.blob(Buffer.from(`${seed} ${at}`)));
  const blobs = new Uint8Array(Buffer.concat(contents.map((content) => content.blobs)));
  return { blobs, sizeBytes: contents.reduce((sum, content) => sum + content.sizeBytes, 0) };
}

function randomContent(context: BackupThreadContext, { seed, sizeBytes }: Task & { kind: 'random' }): Content {
  const key = crypto.hash('sha256', seed, 'buffer');
  const cipher = crypto.createCipheriv('aes-256-ctr', key, Buffer.alloc(16));
  const writer = context.writer({ by: 'content' });
  const pieceBytes = 1024 * 1024;
  for (let at = 0; at < sizeBytes; at += pieceBytes) {
    writer.write(cipher.update(Buffer.alloc(Math.min(pieceBytes, sizeBytes - at))));
  }
  return writer.end();
}

async function hash(context: RestoreThreadContext, content: Content): Promise<string> {
  const sum = crypto.createHash('sha256');
  for await (const bytes of context.read(content)) sum.update(bytes);
  return sum.digest('hex');
}

/** `log` has three words per file: how often its end came, how often anything came after it, and whether it was damaged. */
function writeBlob(task: Task, offset: number, bytes: Uint8Array, end?: FileEnd): boolean {
  const { path, log, file } = task as Task & { kind: 'file' };
  if (Atomics.load(log, file * 3) > 0) Atomics.add(log, file * 3 + 1, 1);
  const descriptor = fs.openSync(path, fs.constants.O_WRONLY | fs.constants.O_CREAT);
  fs.writeSync(descriptor, bytes, 0, bytes.length, offset);
  fs.closeSync(descriptor);
  if (end !== undefined) Atomics.add(log, file * 3, 1);
  if (end === 'damaged') Atomics.add(log, file * 3 + 2, 1);
  return true;
}
