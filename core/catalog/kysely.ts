import { createRequire } from 'node:module';

/**
 * The values of Kysely, from its CommonJS build: loading its 262 files as ES modules takes twice as long. What is built has
 * the ES modules in one file (`build/bundle.ts`). Types come from 'kysely' as usual.
 */
export const kysely = createRequire(import.meta.url)('kysely') as typeof import('kysely');
