/** A prune in a process of its own that kills itself: `prune-child.ts FOLDER AT WHEN now|marks`. Says `done` when it did not come so far. */
import { Repository } from '../../../../core/repository/index.ts';
import { type Death, DyingStore } from '../dying-store.ts';
import { localStore, openOptions } from '../repository-kit.ts';
import { prune, thorough } from './prune-kit.ts';

const [folder, at, when, how] = process.argv.slice(2) as [string, string, Death['when'], 'now' | 'marks'];
const store = new DyingStore(await localStore(folder), folder, { at: Number(at), when });
const repository = await Repository.open(openOptions(store, { processAlive: (pid) => pid === process.pid }));
await prune(store, { ...thorough, now: how === 'now' }, repository);
process.stdout.write('done\n');
