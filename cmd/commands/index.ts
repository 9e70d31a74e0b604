import type { Register } from '../verb.ts';
import { registerApply } from './apply.ts';
import { registerBackup } from './backup.ts';
import { registerBackups } from './backups.ts';
import { registerCancel } from './cancel.ts';
import { registerCatalog } from './catalog.ts';
import { registerCompletion } from './completion.ts';
import { registerDaemon } from './daemon.ts';
import { registerDelete } from './delete.ts';
import { registerDownload } from './download.ts';
import { registerEvents } from './events.ts';
import { registerInit } from './init.ts';
import { registerJobs, registerRestores } from './jobs.ts';
import { registerKey } from './key.ts';
import { registerPause, registerResume } from './pause.ts';
import { registerPin, registerUnpin } from './pin.ts';
import { registerPlan } from './plan.ts';
import { registerRepository } from './repository/index.ts';
import { registerRestore } from './restore.ts';
import { registerSchema } from './schema.ts';
import { registerShow } from './show.ts';
import { registerStatus } from './status.ts';
import { registerValidate } from './validate.ts';

/** Every verb, in the order of the help. */
export const verbs: readonly Register[] = [
  registerInit,
  registerValidate,
  registerPlan,
  registerApply,
  registerDaemon,
  registerStatus,
  registerBackup,
  registerBackups,
  registerShow,
  registerDownload,
  registerRestore,
  registerPin,
  registerUnpin,
  registerDelete,
  registerRestores,
  registerJobs,
  registerEvents,
  registerCancel,
  registerPause,
  registerResume,
  registerKey,
  registerRepository,
  registerCatalog,
  registerSchema,
  registerCompletion,
];
