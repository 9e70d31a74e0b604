import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** Beside what was built: the files it was made of and the files it is, each with what tells whether it is still the same. */
const record = 'dist/record.txt';
/** Without it the record was not written to its end. */
export const lastLine = 'end';

/**
 * Whether `dist` is whole and was made of exactly what is there: of each file of the record the state is the recorded one (a
 * change sets the time of status, which nobody can set back), or else its content, as after a copy. When in doubt, no.
 */
export function isBuilt(root: string): boolean {
  return everyFile(root, (file, { state, content }) => stateOf(file) === state || contentOf(file) === content);
}

/** The same by the states alone: then a start need not read the files. */
export function isJustBuilt(root: string): boolean {
  return everyFile(root, (file, { state }) => stateOf(file) === state);
}

/** The lines of files in the record, given by their paths from the root. `lastLine` ends it. */
export function recordOf(root: string, paths: readonly string[]): string {
  return paths.map((path) => `${stateOf(join(root, path))} ${contentOf(join(root, path))} ${path}\n`).join('');
}

interface Recorded {
  readonly state: string;
  readonly content: string;
}

function everyFile(root: string, isSame: (file: string, recorded: Recorded) => boolean): boolean {
  try {
    const lines = readFileSync(join(root, record), 'utf8').split('\n');
    if (lines.pop() !== lastLine || lines.length === 0) return false;
    return lines.every((line) => {
      const [state, content, ...words] = line.split(' ');
      return isSame(`${root}/${words.join(' ')}`, { state: state!, content: content! });
    });
  } catch {
    return false; // a file is missing, or there is no record
  }
}

function stateOf(file: string): string {
  const { size, ctimeMs, ino } = statSync(file);
  return `${size}:${ctimeMs}:${ino}`;
}

/** `node:crypto` is loaded only here: that takes longer than to look at all files. */
function contentOf(file: string): string {
  return process.getBuiltinModule('node:crypto').hash('sha256', readFileSync(file));
}
