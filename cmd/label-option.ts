import { InvalidArgumentError, Option } from 'commander';
import type { AppliedState, Catalog } from '../core/catalog/index.ts';
import { type Belonging, type Label, labelFilter } from '../core/labels.ts';

/** `--label team=shop`, as often as wanted, for lists. */
export function labelOption(): Option {
  return new Option('--label <key=value>', 'only what has this label on its plan, source or destination; repeatable')
    .argParser((text: string, before: readonly Label[] | undefined) => [...(before ?? []), parseLabel(text)])
    .default(undefined);
}

/**
 * The newest `limit` of a list that have the labels. Labels are those of the applied state and no columns of the catalog,
 * so without a limit of its own `list` gives all that there are. Throws NOT_APPLIED for a label that nothing has.
 */
export async function listLabelled<Item>(
  catalog: Catalog,
  { labels = [], limit }: { labels?: readonly Label[]; limit: number },
  list: (limit: number) => Promise<readonly Item[]>,
  belonging: (item: Item, state: AppliedState) => Belonging,
): Promise<readonly Item[]> {
  if (labels.length === 0) return list(limit);
  const state = await catalog.state.read();
  const matches = labelFilter(state, labels);
  return (await list(all)).filter((item) => matches(belonging(item, state))).slice(0, limit);
}

const all = 1_000_000_000;

function parseLabel(text: string): Label {
  const at = text.indexOf('=');
  if (at > 0) return { key: text.slice(0, at), value: text.slice(at + 1) };
  throw new InvalidArgumentError('Write a label as `key=value`, such as `team=shop`.');
}
