import { dirname, join } from 'node:path';
import { runOk } from '../../test/kit/process.ts';

/** Tells what happens, and shows commands with what they print. */
export interface Narrator {
  step(title: string): void;
  say(text: string): void;
  /** Shows and runs a command in the work folder; gives what it printed. Rejects when it fails. */
  show(command: string, args?: readonly string[]): Promise<string>;
  /** Runs a command without showing it. */
  ask(command: string, args: readonly string[]): Promise<string>;
}

const cmdFolder = join(import.meta.dirname, '../../cmd');
const timeoutMs = 120_000;

/** Commands run in `folder`, with `tidemark` in their path. */
export function narrator(folder: string, print: (line: string) => void): Narrator {
  let steps = 0;
  const PATH = [cmdFolder, dirname(process.execPath), process.env.PATH, '/usr/sbin'].join(':');
  const ask = async (command: string, args: readonly string[]) =>
    (await runOk(command, args, { cwd: folder, env: { PATH }, timeoutMs })).stdout;
  return {
    step: (title) => {
      steps += 1;
      print(`\n== ${steps}. ${title}`);
    },
    say: (text) => print(text),
    show: async (command, args = []) => {
      print(`$ ${[command, ...args.map(quoted)].join(' ')}`);
      const output = await ask(command, args);
      for (const line of output.trimEnd().split('\n')) print(`    ${line}`);
      return output;
    },
    ask,
  };
}

function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
