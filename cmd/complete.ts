import type { Argument, Command, Option } from 'commander';
import { namesIn } from '../core/applied.ts';
import type { Catalog } from '../core/catalog/index.ts';

/**
 * What may stand as the last of `words` (which is empty, or the beginning of a word): verbs, options, choices of an
 * option, and names from the catalog where an argument or option takes one.
 */
export async function complete(
  program: Command,
  words: readonly string[],
  catalog: () => Promise<Catalog>,
): Promise<readonly string[]> {
  const last = words.at(-1) ?? '';
  const { command, positions } = walk(program, words.slice(0, -1));
  const option = optionBefore(program, command, words.at(-2));
  return (await candidates(program, command, positions, option, last, catalog)).filter((one) => one.startsWith(last));
}

/** The verb that the words lead to, and how many arguments of it they give already. */
function walk(program: Command, words: readonly string[]): { command: Command; positions: number } {
  let command = program;
  let positions = 0;
  for (const [at, word] of words.entries()) {
    if (word.startsWith('-') || optionBefore(program, command, words[at - 1]) !== undefined) continue;
    const next = command.commands.find((one) => one.name() === word);
    if (next === undefined) positions += 1;
    else command = next;
  }
  return { command, positions };
}

/** The option that takes a value, when `word` is one. */
function optionBefore(program: Command, command: Command, word: string | undefined): Option | undefined {
  if (!word?.startsWith('-')) return undefined;
  const option = [...command.options, ...program.options].find(({ long, short }) => word === long || word === short);
  return option !== undefined && (option.required || option.optional) ? option : undefined;
}

async function candidates(
  program: Command,
  command: Command,
  positions: number,
  option: Option | undefined,
  last: string,
  catalog: () => Promise<Catalog>,
): Promise<readonly string[]> {
  if (option !== undefined) return option.argChoices ?? namesFor(option.attributeName(), catalog);
  if (last.startsWith('-')) {
    return [...command.options, ...program.options].filter((one) => !one.hidden).map((one) => one.long ?? '');
  }
  if (command.commands.length > 0)
    return command.commands.map((one) => one.name()).filter((name) => name !== 'complete');
  const argument: Argument | undefined = command.registeredArguments[positions];
  return argument === undefined ? [] : (argument.argChoices ?? namesFor(argument.name(), catalog));
}

/** By the name of an argument or option: `plan`, `source`, `destination`, `backup`, `job`. */
async function namesFor(noun: string, catalog: () => Promise<Catalog>): Promise<readonly string[]> {
  const collection = ({ plan: 'plans', source: 'sources', into: 'sources', destination: 'destinations' } as const)[
    noun as 'plan'
  ];
  if (collection !== undefined) return namesIn(await (await catalog()).state.read(), collection);
  if (noun === 'backup') return (await (await catalog()).backups.list({ limit: 50 })).map(({ id }) => id);
  if (noun === 'job') return (await (await catalog()).jobs.list({ states: ['queued', 'running'] })).map(({ id }) => id);
  return [];
}
