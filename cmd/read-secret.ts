import { TidemarkError } from '../core/error.ts';
import { Secret } from '../core/secret.ts';
import type { Workspace } from './compose.ts';

/** A new password: typed twice and unseen on a terminal, else all of the input. Throws USAGE for none. */
export async function readNewPassword(workspace: Workspace): Promise<Secret> {
  const { stdin } = workspace.surroundings;
  if (stdin.isTTY !== true) return passwordOf(await readAll(workspace));
  const lines = keysOf(workspace);
  stdin.setRawMode?.(true);
  try {
    const password = await typed(workspace, 'New password: ', lines);
    if ((await typed(workspace, 'Again: ', lines)) === password) return passwordOf(password);
    throw new TidemarkError('USAGE', 'the two passwords differ', { hint: 'Try again.' });
  } finally {
    stdin.setRawMode?.(false);
    await lines.return?.(undefined);
  }
}

/** What is piped in is read as the same bytes in a file would be. */
async function readAll({ surroundings: { stdin } }: Workspace): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stdin) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

async function* keysOf({ surroundings: { stdin } }: Workspace): AsyncGenerator<string> {
  for await (const chunk of stdin) yield* String(chunk);
}

async function typed({ output }: Workspace, question: string, keys: AsyncGenerator<string>): Promise<string> {
  output.draw(question);
  let text = '';
  for (let key = await keys.next(); key.done !== true; key = await keys.next()) {
    if (key.value === '\r' || key.value === '\n') break;
    if (key.value === '\x03') throw new TidemarkError('CANCELLED', 'nothing was done');
    text = key.value === '\x7f' || key.value === '\b' ? text.slice(0, -1) : text + key.value;
  }
  output.draw('\n');
  return text;
}

function passwordOf(value: string | Buffer): Secret {
  if (value.length > 0) return new Secret(value);
  throw new TidemarkError('USAGE', 'the password is empty', {
    hint: "Type one, pipe one in, or give a reference: --password '${file:/path}'.",
  });
}
