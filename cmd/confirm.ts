import { createInterface } from 'node:readline/promises';
import { Readable, Writable } from 'node:stream';
import { TidemarkError } from '../core/error.ts';
import type { Workspace } from './compose.ts';

/**
 * Asks for a `yes` on the terminal. Without one, or with `--json`, nobody can be asked: throws USAGE that says how to
 * consent instead. Throws CANCELLED for any other answer.
 */
export async function confirm(workspace: Workspace, question: string): Promise<void> {
  const { stdin } = workspace.surroundings;
  if (stdin.isTTY !== true || workspace.output.json) {
    throw new TidemarkError('USAGE', 'nobody can be asked: the input is not a terminal', {
      hint: 'Give `--auto-approve` to go on without being asked.',
    });
  }
  const answer = await ask(workspace, `${question} Only \`yes\` is taken for yes: `);
  if (answer.trim() !== 'yes') throw new TidemarkError('CANCELLED', 'nothing was done');
}

async function ask({ surroundings, output, signal }: Workspace, question: string): Promise<string> {
  const shown = new Writable({
    write: (chunk, _encoding, done) => {
      output.draw(String(chunk));
      done();
    },
  });
  const lines = createInterface({ input: Readable.from(surroundings.stdin), output: shown, terminal: false });
  try {
    return await lines.question(question, { signal });
  } finally {
    lines.close();
  }
}
