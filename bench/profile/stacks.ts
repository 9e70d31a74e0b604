import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { SourceMap } from 'node:module';
import { join } from 'node:path';

/** What a thread spent (microseconds or bytes), by where: a sum of samples of stacks. */
export interface Spending {
  readonly thread: string;
  /** The function alone, without what it calls; native calls count to the function that makes them. */
  readonly byFunction: ReadonlyMap<string, number>;
  /** By the innermost file of this project on the stack: with what it calls of Node and of packages. */
  readonly byFile: ReadonlyMap<string, number>;
}

interface Frame {
  readonly functionName: string;
  readonly url: string;
  readonly lineNumber: number;
  readonly columnNumber: number;
}

interface CpuProfile {
  readonly nodes: readonly { readonly id: number; readonly callFrame: Frame; readonly children?: readonly number[] }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

interface AllocationNode {
  readonly callFrame: Frame;
  readonly selfSize: number;
  readonly children: readonly AllocationNode[];
}

const root = new URL('../../', import.meta.url).href;
const notWork = new Set(['(idle)', '(root)']);

/** Microseconds of each thread, from the files that `--cpu-prof` leaves. Times that nothing ran are left out. */
export function readCpuProfiles(folder: string): Spending[] {
  return readProfiles(folder, /^CPU\.\d+\.\d+\.\d+\.(\d+)\..*\.cpuprofile$/, (profile: CpuProfile, spend) => {
    const selfUs = new Map<number, number>();
    for (const [at, node] of profile.samples.entries())
      selfUs.set(node, (selfUs.get(node) ?? 0) + (profile.timeDeltas[at + 1] ?? 0));
    const nodes = new Map(profile.nodes.map((node) => [node.id, node]));
    const visit = (id: number, file: string | undefined) => {
      const { callFrame, children = [] } = nodes.get(id)!;
      const innermost = fileOf(callFrame) ?? file;
      if (!notWork.has(callFrame.functionName)) spend(callFrame, innermost, selfUs.get(id) ?? 0);
      for (const child of children) visit(child, innermost);
    };
    visit(profile.nodes[0]!.id, undefined);
  });
}

/** Bytes that each thread allocated in V8's heap, from the files that the probe leaves. */
export function readAllocations(folder: string): Spending[] {
  return readProfiles(folder, /^Alloc\.\d+\.(\d+)\.json$/, (profile: { readonly head: AllocationNode }, spend) => {
    const visit = ({ callFrame, selfSize, children }: AllocationNode, file: string | undefined) => {
      const innermost = fileOf(callFrame) ?? file;
      spend(callFrame, innermost, selfSize);
      for (const child of children) visit(child, innermost);
    };
    visit(profile.head, undefined);
  });
}

type Spend = (frame: Frame, file: string | undefined, amount: number) => void;

function readProfiles<Profile>(
  folder: string,
  name: RegExp,
  sum: (profile: Profile, spend: Spend) => void,
): Spending[] {
  return readdirSync(folder).flatMap((file) => {
    const number = name.exec(file)?.[1];
    if (number === undefined) return [];
    const [byFunction, byFile] = [new Map<string, number>(), new Map<string, number>()];
    sum(JSON.parse(readFileSync(join(folder, file), 'utf8')), (frame, innermost, amount) => {
      add(byFunction, functionText(inSource(frame)), amount);
      add(byFile, innermost ?? outsideText(frame), amount);
    });
    return [{ thread: number === '0' ? 'main' : `data ${Number(number) - 1}`, byFunction, byFile }];
  });
}

/** Where the source has what stands in a file that was built. */
function inSource(frame: Frame): Frame {
  const { originalSource, originalLine } = mapOf(frame.url)?.findEntry(frame.lineNumber, frame.columnNumber) ?? {};
  if (originalSource === undefined) return frame;
  return { ...frame, url: new URL(originalSource, frame.url).href, lineNumber: originalLine! };
}

const maps = new Map<string, SourceMap | undefined>();

function mapOf(url: string): SourceMap | undefined {
  if (!url.startsWith(`${root}dist/`)) return undefined;
  const file = new URL(`${url}.map`);
  if (!maps.has(url))
    maps.set(url, existsSync(file) ? new SourceMap(JSON.parse(readFileSync(file, 'utf8'))) : undefined);
  return maps.get(url);
}

function add(sums: Map<string, number>, key: string, amount: number): void {
  if (amount > 0) sums.set(key, (sums.get(key) ?? 0) + amount);
}

/** Undefined for what is not of this project. */
function fileOf(frame: Frame): string | undefined {
  const { url } = inSource(frame);
  return url.startsWith(root) && !url.includes('/node_modules/') ? url.slice(root.length) : undefined;
}

function outsideText({ functionName, url }: Frame): string {
  if (url === '') return functionName;
  return url.startsWith('node:internal/modules') ? 'loading of modules' : 'Node and packages alone';
}

function functionText({ functionName, url, lineNumber }: Frame): string {
  const name = functionName || '(anonymous)';
  const file = url.startsWith(root) ? url.slice(root.length) : url.replace(/^.*\/node_modules\//, '');
  return file === '' ? name : `${name} ${file}:${lineNumber + 1}`;
}
