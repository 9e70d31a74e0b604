import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

/** In the package, where `npm run build` has put Kysely's 262 files into one. */
const joined = join(import.meta.dirname, 'kysely-joined.cjs');

/**
 * The values of Kysely, from its CommonJS build: loading it is most of a verb's start, and as ES modules it
 * takes twice as long. Types come from 'kysely' as usual.
 */
export const kysely = createRequire(import.meta.url)(existsSync(joined) ? joined : 'kysely') as typeof import('kysely');
