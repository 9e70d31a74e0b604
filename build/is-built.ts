/** Exits 0 when there is nothing to build. */
import { join } from 'node:path';
import { isJustBuilt } from './record.ts';

process.exitCode = isJustBuilt(join(import.meta.dirname, '..')) ? 0 : 1;
