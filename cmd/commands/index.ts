import type { Register } from '../verb.ts';
import { registerApply } from './apply.ts';
import { registerBackup } from './backup.ts';
import { registerBackups } from './backups.ts';
import { registerDownload } from './download.ts';
import { registerInit } from './init.ts';
import { registerPlan } from './plan.ts';
import { registerRestore } from './restore.ts';
import { registerValidate } from './validate.ts';

/** Every verb, in the order of the help. */
export const verbs: readonly Register[] = [
  registerInit,
  registerValidate,
  registerPlan,
  registerApply,
  registerBackup,
  registerBackups,
  registerRestore,
  registerDownload,
];
