import type { DestinationDriver } from '../../../core/driver/index.ts';
import schema from '../../../schemas/destination.local.json' with { type: 'json' };

/** A folder of this machine: a disk, an NFS or SMB mount. */
export const local: DestinationDriver = {
  kind: 'local',
  schema,
  placeSettings: ['path'],
  async open(settings, context) {
    const { LocalStore } = await import('./local-store.ts');
    return new LocalStore({
      path: String(settings.path).replace(/(?<=.)\/+$/, ''),
      requireMount: settings.requireMount === true,
      subject: context.subject,
      clock: context.clock,
    }).open();
  },
};
