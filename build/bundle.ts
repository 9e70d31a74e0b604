import { readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { type OutputOptions, type Plugin, type RolldownBuild, rolldown } from 'rolldown';

/** Packages that bring files of their own which they look for beside themselves, and those that only a daemon loads. */
const external = ['koffi', 'sodium-native', 'pino', 'prom-client'];

/** The one file whose name says nothing of its content: it is loaded at once, and all else through it. */
const start = 'tidemark';
export const startFile = `${start}.js`;

export interface Bundle extends AsyncDisposable {
  readonly build: RolldownBuild;
  readonly output: OutputOptions;
}

/**
 * Tidemark and its packages in few files, all in one folder: what a verb does not need stays in files of its own, and no
 * module is in two of them. Names and lines stay, so that a stack can be read.
 */
export async function openBundle(root: string, ...plugins: Plugin[]): Promise<Bundle> {
  const build = await rolldown({
    cwd: root,
    input: { [start]: join(root, 'cmd/start.ts') },
    platform: 'node',
    external,
    // To load one of Node's modules does nothing by itself. Otherwise it would be loaded, with much beside it, for nothing.
    treeshake: { moduleSideEffects: 'no-external' },
    plugins: [startedByUrl(root), kyselyInside(root), ...plugins],
    onLog: (_, log) => {
      throw new Error(log.message);
    },
  });
  const output: OutputOptions = {
    format: 'esm',
    sourcemap: true,
    sourcemapExcludeSources: true,
    entryFileNames: ({ name }) => (name === start ? '[name].js' : '[name]-[hash].js'),
    chunkFileNames: '[name]-[hash].js',
  };
  return { build, output, [Symbol.asyncDispose]: () => build.close() };
}

/**
 * A file that a thread or process is started with, `import.meta.resolve('./x.ts')`, is an entry. Its name holds a hash, too:
 * what runs while it is built anew starts its own files or none, never those of another build.
 */
function startedByUrl(root: string): Plugin {
  return {
    name: 'started-by-url',
    transform: {
      filter: { code: 'import.meta.resolve(' },
      handler(code, importer) {
        const changed = code.replace(/\bimport\.meta\.resolve\('(\.[^']+)\.ts'\)/g, (_, path: string) => {
          const entry = resolve(dirname(importer), path);
          const name = relative(root, entry).replaceAll('/', '-');
          return `import.meta.ROLLUP_FILE_URL_${this.emitFile({ type: 'chunk', id: `${entry}.ts`, name })}`;
        });
        return { code: changed, map: null }; // no line moves
      },
    },
  };
}

/** The source takes Kysely from its CommonJS files, which Node opens faster. In one file its ES modules do better. */
function kyselyInside(root: string): Plugin {
  const id = join(root, 'core/catalog/kysely.ts');
  return {
    name: 'kysely-inside',
    load: {
      filter: { id },
      handler: () => {
        if (!readFileSync(id, 'utf8').includes("('kysely')")) throw new Error(`${id} is not what it was`);
        return "export * as kysely from 'kysely';";
      },
    },
  };
}
