import { requireResource } from '../core/applied.ts';
import type { Resource } from '../core/config/index.ts';
import type { Workspace } from './compose.ts';

/** As applied, or else as the files have it: a catalog that was lost has nothing applied. */
export async function findDestination(workspace: Workspace, name: string): Promise<Resource> {
  const { resources } = await (await workspace.catalog()).state.read();
  const address = `destinations.${name}`;
  const { configuration } = await workspace.configuration({ secrets: false });
  const found = resources.get(address) ?? configuration?.resources.get(address);
  return found ?? requireResource(await workspace.catalog(), 'destinations', name);
}
