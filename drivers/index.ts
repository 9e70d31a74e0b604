import type { DestinationDriver, DriverRegistry, SourceDriver } from '../core/driver/index.ts';
import { files, local } from './files/index.ts';
import { mysql } from './mysql/index.ts';

/** Every driver that tidemark comes with. */
export const drivers: DriverRegistry<SourceDriver, DestinationDriver> = {
  sources: [files, mysql],
  destinations: [local],
};
