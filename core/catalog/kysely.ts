import { createRequire } from 'node:module';

/**
 * The values of Kysely, from its CommonJS build: loading these 262 files is most of a verb's start, and as ES modules they
 * take twice as long. Types come from 'kysely' as usual.
 */
export const kysely = createRequire(import.meta.url)('kysely') as typeof import('kysely');
