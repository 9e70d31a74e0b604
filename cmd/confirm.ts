import { TidemarkError } from '../core/error.ts';
import type { Workspace } from './compose.ts';

/** Questions to the person at the terminal, one after the other. Dispose it: an input that is read keeps the process alive. */
export interface Questions extends Disposable {
  /** The line that is typed; what there was when the input ends before. */
  ask(question: string): Promise<string>;
}

/** Whether there is a person to ask. */
export function canAsk({ surroundings: { stdin }, output }: Workspace): boolean {
  return stdin.isTTY === true && !output.json;
}

export function openQuestions({ surroundings: { stdin }, output, signal }: Workspace): Questions {
  const chunks = stdin[Symbol.asyncIterator]();
  let typed = '';
  return {
    async ask(question) {
      output.draw(question);
      while (!typed.includes('\n')) {
        const { value, done } = await Promise.race([chunks.next(), rejection(signal)]);
        if (done) break;
        typed += String(value);
      }
      const line = typed.split('\n')[0]!;
      typed = typed.slice(line.length + 1);
      return line.trim();
    },
    [Symbol.dispose]: () => void stdin.destroy?.(),
  };
}

/**
 * Asks for a `yes` on the terminal. Without one, or with `--json`, nobody can be asked: throws USAGE that says how to
 * consent instead. Throws CANCELLED for any other answer.
 */
export async function confirm(workspace: Workspace, question: string): Promise<void> {
  rejectUnasked(workspace);
  using questions = openQuestions(workspace);
  await requireYes(questions, question);
}

/** Throws USAGE when nobody can be asked. */
export function rejectUnasked(workspace: Workspace): void {
  if (canAsk(workspace)) return;
  throw new TidemarkError('USAGE', 'nobody can be asked: the input is not a terminal', {
    hint: 'Give `--auto-approve` to go on without being asked.',
  });
}

/** Throws CANCELLED for any other answer than `yes`. */
export async function requireYes(questions: Questions, question: string): Promise<void> {
  const answer = await questions.ask(`${question} Only \`yes\` is taken for yes: `);
  if (answer !== 'yes') throw new TidemarkError('CANCELLED', 'nothing was done');
}

function rejection(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}
