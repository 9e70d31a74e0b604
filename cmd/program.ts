import { Command, CommanderError } from 'commander';
import { TidemarkError } from '../core/error.ts';
import { exitCodes } from '../core/error-codes.ts';
import { verbsOf } from './commands/index.ts';
import { compose } from './compose.ts';
import { openOutput } from './output.ts';
import type { Globals, Surroundings } from './surroundings.ts';
import type { Bind, Register, VerbOptions } from './verb.ts';

/** Runs one command line, without the name of the program, and gives its exit code. Never throws. */
export async function main(argv: readonly string[], surroundings: Surroundings): Promise<number> {
  let exitCode: number = exitCodes.ok;
  const bind: Bind =
    (verb, options) =>
    async (...args) => {
      exitCode = await runVerb(surroundings, globalsOf(program), options, (workspace) => verb(workspace, ...args));
    };
  const program = buildProgram(surroundings, await verbsOf(argv), bind);
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return exitCode;
  } catch (thrown) {
    return failedParse(thrown, argv, surroundings);
  }
}

/** The command tree of these verbs. `docs/reference/cli.md` is generated from it, and so are completions. */
export function buildProgram(
  surroundings: Pick<Surroundings, 'version' | 'stdout' | 'stderr'>,
  verbs: readonly Register[],
  bind: Bind,
): Command {
  const program = new Command('tidemark')
    .description('Backups as code: what to back up, when, to where and for how long is written in YAML.')
    .version(surroundings.version, '--version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand('help [verb]', 'print the help of a verb')
    .option('-c, --config <path>', 'configuration file or folder (default: ./tidemark.yaml, else /etc/tidemark)')
    .option('--json', 'print the result as JSON', false)
    .option('-q, --quiet', 'print no progress and no remarks', false)
    .option('--no-color', 'print without colours, as NO_COLOR does')
    .exitOverride()
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: (text) => void surroundings.stdout.write(text),
      writeErr: (text) => void surroundings.stderr.write(text),
      outputError: () => {}, // `main` shows it
      getOutHelpWidth: () => surroundings.stdout.columns || 100,
      getErrHelpWidth: () => surroundings.stderr.columns || 100,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    });
  for (const register of verbs) register(program, bind);
  return program;
}

function globalsOf(program: Command): Globals {
  return program.opts<{ config?: string; json: boolean; quiet: boolean; color: boolean }>();
}

async function runVerb(
  surroundings: Surroundings,
  globals: Globals,
  options: VerbOptions | undefined,
  work: (workspace: ReturnType<typeof compose>) => Promise<number>,
): Promise<number> {
  const workspace = compose(surroundings, globals);
  const { ending, endingNow } = surroundings;
  const windsDown = options?.windsDown === true;
  const cutOff = new Promise<number>((resolve) => {
    const leave = () => resolve(exitCodes.cancelled);
    const giveUp = () => resolve(workspace.output.fail(ending.reason));
    onAbort(endingNow, () => (windsDown ? void whenJobsAreKilled(leave) : leave()));
    if (!windsDown) onAbort(ending, () => setTimeout(giveUp, graceMs).unref());
  });
  return Promise.race([cutOff, toTheEnd(workspace, work)]);
}

function onAbort(signal: AbortSignal, call: () => void): void {
  signal.addEventListener('abort', call, { once: true });
}

/** After the second signal jobs are ended, and their processes killed; then whatever is left stays as it is. */
async function whenJobsAreKilled(leave: () => void): Promise<void> {
  const { marginMs } = await import('../core/job/index.ts');
  setTimeout(leave, marginMs + 2_000).unref();
}

/** What waits for somebody who does not answer, and has not heard of the signal, is left as it is after this. */
const graceMs = 1_000;

async function toTheEnd(
  workspace: ReturnType<typeof compose>,
  work: (workspace: ReturnType<typeof compose>) => Promise<number>,
): Promise<number> {
  try {
    await using open = workspace;
    return await work(open);
  } catch (thrown) {
    return workspace.output.fail(workspace.signal.aborted ? workspace.signal.reason : thrown);
  }
}

function failedParse(thrown: unknown, argv: readonly string[], surroundings: Surroundings): number {
  if (!(thrown instanceof CommanderError)) throw thrown;
  if (thrown.exitCode === 0) return exitCodes.ok;
  const globals = { json: argv.includes('--json'), quiet: false, color: !argv.includes('--no-color') };
  if (thrown.code === 'commander.help') return exitCodes.config;
  const [summary, suggestion] = thrown.message.replace(/^error: /, '').split('\n');
  const hint = suggestion?.replace(/^\((.*)\)$/, '$1') ?? 'Run `tidemark --help`, or `tidemark help VERB`.';
  const error = new TidemarkError('USAGE', summary ?? 'the command line was not understood', { hint });
  return openOutput(surroundings, globals).fail(error);
}
