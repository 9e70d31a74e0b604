import type { DestinationDriver } from '../../../core/driver/index.ts';
import { LocalStore } from './local-store.ts';

/** A folder of this machine: a disk, an NFS or SMB mount. */
export const local: DestinationDriver = {
  kind: 'local',
  schema: {
    type: 'object',
    properties: {
      path: {
        type: 'string',
        pattern: '^/',
        description: 'Absolute path of the folder that holds the repository. It is made when it is not there.',
        examples: ['/mnt/nas/tidemark'],
      },
      requireMount: {
        type: 'boolean',
        default: false,
        description:
          'Refuse to work unless the folder is a mount point or below one other than `/`, so that a missing mount never fills the root file system.',
        examples: [true],
      },
    },
    required: ['path'],
    additionalProperties: false,
  },
  open(settings, context) {
    return new LocalStore({
      path: String(settings.path).replace(/(?<=.)\/+$/, ''),
      requireMount: settings.requireMount === true,
      subject: context.subject,
      clock: context.clock,
    }).open();
  },
};
