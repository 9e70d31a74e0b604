/** What the launcher starts in a checkout: the build, when it is one of exactly what is there, and else the source. */
import { join } from 'node:path';
import { isBuilt } from './record.ts';

const root = join(import.meta.dirname, '..');
await import(isBuilt(root) ? `${root}/dist/tidemark.js` : '../cmd/start.ts');
