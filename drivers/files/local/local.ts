import type { DestinationDriver } from '../../../core/driver/index.ts';
import schema from '../../../schemas/destination.local.json' with { type: 'json' };
import { LocalStore } from './local-store.ts';

/** A folder of this machine: a disk, an NFS or SMB mount. */
export const local: DestinationDriver = {
  kind: 'local',
  schema,
  placeSettings: ['path'],
  open(settings, context) {
    return new LocalStore({
      path: String(settings.path).replace(/(?<=.)\/+$/, ''),
      requireMount: settings.requireMount === true,
      subject: context.subject,
      clock: context.clock,
    }).open();
  },
};
