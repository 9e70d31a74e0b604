import type { SourceFile } from './files.ts';

/** A rule gives what breaks it, one line each. */
export type Rule = (files: readonly SourceFile[]) => string[];

const plainFilesForDrivers = [
  'abort',
  'clock',
  'error',
  'first-of',
  'make-folders',
  'path-bytes',
  'regular-file',
  'secret',
].map((name) => `core/${name}.ts`);

/** Imports go one way, and into a room only through its door. */
export const imports: Rule = (files) =>
  files.flatMap((file) =>
    file.imports
      .filter(({ target }) => !mayImport(file.path, target))
      .map(({ target }) => `${file.path} imports ${target}`),
  );

/** Files do not need each other in a circle, nor do rooms to run. */
export const noCycles: Rule = (files) => [
  ...cycles(edges(files, (path) => path, countsTypes)),
  ...cycles(edges(files, roomOf)).map((circle) => `rooms: ${circle}`),
];

/** Only `cmd/` talks to the process it runs in. */
export const processOnlyInCmd: Rule = (files) => [
  ...find(files, /\bprocess\.(argv|env|exit|exitCode|stdin|stdout|stderr|on|once|cwd|chdir)\b|\bconsole\./g, isCmd),
  ...files
    .filter((file) => !isCmd(file) && file.imports.some(({ target }) => target === 'node:process'))
    .map((file) => `${file.path}: node:process`),
];

/** Only the clock reads the time. */
export const timeOnlyInClock: Rule = (files) =>
  find(
    files,
    /\bDate\.now\b|\bnew Date(?!\w|\s*\(\s*[^\s)])|\bperformance\.(now|timeOrigin)\b|\bprocess\.hrtime\b/g,
    isClock,
  );

/**
 * What is built has other files than the source. It finds those that `import.meta.resolve('./x.ts')` names and packages by
 * `createRequire(import.meta.url)`, and no others.
 */
export const noSourceUrls: Rule = (files) =>
  files.flatMap((file) =>
    [...file.withoutComments.matchAll(otherUrls)]
      .filter((match) => file.code[match.index] !== ' ')
      .map((match) => at(file, match)),
  );

const otherUrls =
  /\bimport\.meta\b(?!\.resolve\('\.[^']+\.ts'\))(?<!createRequire\(import\.meta(?=\.url\)\('[^.']+'\)))[.\w]*/g;

export const shortFiles: Rule = (files) =>
  files
    .map((file) => ({ path: file.path, lines: file.text.split('\n').length - 1 }))
    .filter(({ lines }) => lines > 400)
    .map(({ path, lines }) => `${path} has ${lines} lines`);

/** Names that say nothing about the thing they name. */
export const tellingNames: Rule = (files) =>
  find(files, /\b(class|function|interface|type|const|let)\s+\w*(Manager|Helpers?|Utils?)\b/g, () => false).concat(
    files.filter((file) => /(manager|helpers?|utils?)\.ts$/.test(file.path)).map((file) => file.path),
  );

/** A promise that is returned without `await` outlives what `await using` holds: a lock, a session. */
export const awaitedReturns: Rule = (files) =>
  files.flatMap((file) => {
    let depth: number | undefined;
    return file.code.split('\n').flatMap((line, index) => {
      const indent = line.search(/\S/);
      if (depth !== undefined && indent !== -1 && indent < depth) depth = undefined;
      if (/^\s*await using\b/.test(line)) depth ??= indent;
      const isOwn = depth !== undefined && indent <= depth + 2; // deeper ones return from a function inside
      const escapes = isOwn && /\breturn (?!await\b)[\w.]+\(/.test(line);
      return escapes ? [`${file.path}:${index + 1}: ${line.trim()}`] : [];
    });
  });

function mayImport(from: string, target: string): boolean {
  const [fromRoom, targetRoom] = [roomOf(from), roomOf(target)];
  if (!/^(cmd|core|drivers|test|bench|build|docs|examples)\//.test(target)) return true; // packages, schemas, package.json
  if (fromRoom === targetRoom) return true;
  if (/^(test|bench|build|docs|examples)\//.test(target)) return false;
  if (from.startsWith('core/')) return target.startsWith('core/') && isDoor(target);
  if (from === 'drivers/index.ts') return /^drivers\/[^/]+\/index\.ts$/.test(target) || isForDrivers(target);
  if (from.startsWith('drivers/')) return isForDrivers(target);
  return target === 'drivers/index.ts' || (target.startsWith('core/') && isDoor(target));
}

function isForDrivers(target: string): boolean {
  return target === 'core/driver/index.ts' || plainFilesForDrivers.includes(target);
}

/** Plain files of core have no room around them. */
function isDoor(path: string): boolean {
  return /^core\/([^/]+\/index|[^/]+)\.ts$/.test(path);
}

/** `core/config`, `drivers/mysql`, `cmd`; a plain file of core or the list of drivers is a room of its own. */
function roomOf(path: string): string {
  const [first, second] = path.split('/');
  return first === 'core' || first === 'drivers' ? `${first}/${second}` : first!;
}

function isCmd(file: SourceFile): boolean {
  return file.path.startsWith('cmd/');
}

/** `drivers/mysql` still has circles of types: there only what runs counts. */
function countsTypes(file: SourceFile): boolean {
  return !file.path.startsWith('drivers/mysql/');
}

function isClock(file: SourceFile): boolean {
  return file.path === 'core/clock.ts';
}

function find(files: readonly SourceFile[], pattern: RegExp, excepted: (file: SourceFile) => boolean): string[] {
  return files
    .filter((file) => !excepted(file))
    .flatMap((file) => [...file.code.matchAll(pattern)].map((match) => at(file, match)));
}

function at(file: SourceFile, match: RegExpExecArray): string {
  return `${file.path}:${file.text.slice(0, match.index).split('\n').length}: ${match[0]}`;
}

type Edges = Map<string, Set<string>>;

function edges(
  files: readonly SourceFile[],
  nodeOf: (path: string) => string,
  withTypes = (_: SourceFile) => false,
): Edges {
  const known = new Set(files.map((file) => file.path));
  const all: Edges = new Map();
  for (const file of files) {
    const node = nodeOf(file.path);
    const needed = file.imports.filter(({ target, typeOnly }) => known.has(target) && (!typeOnly || withTypes(file)));
    const targets = needed.map(({ target }) => nodeOf(target));
    all.set(node, new Set([...(all.get(node) ?? []), ...targets.filter((target) => target !== node)]));
  }
  return all;
}

/** One line for each import that closes a circle, in a walk that enters every node once. */
function cycles(all: Edges): string[] {
  const found: string[] = [];
  const done = new Set<string>();
  const walk = (node: string, path: string[]) => {
    if (path.includes(node)) found.push([...path.slice(path.indexOf(node)), node].join(' -> '));
    if (path.includes(node) || done.has(node)) return;
    for (const target of all.get(node) ?? []) walk(target, [...path, node]);
    done.add(node);
  };
  for (const node of all.keys()) walk(node, []);
  return found;
}
