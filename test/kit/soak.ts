import { randomInt } from 'node:crypto';

/** How long each soak goes on before it stops by itself: TIDEMARK_SOAK_MINUTES, at most an hour. */
export const soakMinutes = Math.min(60, Number(process.env.TIDEMARK_SOAK_MINUTES ?? 60));

/** TIDEMARK_SOAK_SEED does again what a soak did that failed. */
export const soakSeed = process.env.TIDEMARK_SOAK_SEED ?? String(randomInt(1_000_000));
