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

/** Closes the input in any case: one that is read from keeps the process alive. */
async function ask({ surroundings: { stdin }, output, signal }: Workspace, question: string): Promise<string> {
  output.draw(question);
  const chunks = stdin[Symbol.asyncIterator]();
  let text = '';
  try {
    while (!text.includes('\n')) {
      const { value, done } = await Promise.race([chunks.next(), rejection(signal)]);
      if (done) break;
      text += String(value);
    }
    return text;
  } finally {
    stdin.destroy?.();
  }
}

function rejection(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}
