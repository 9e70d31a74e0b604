/**
 * The times of a lease, each made of those before it, so that a job is never free to be taken while its worker may still
 * be at work. Nobody else writes down a time that has to fit with these.
 */

/** How long work may take to end by itself after its signal fired. A process that has not ended then is killed. */
export const letGoMs = 6_000;
/** How long a kill may take to be over and noticed. */
export const killMs = 2_000;
/** The signal fires this long before the lease ends: by its end the work has ended, or was killed. */
export const marginMs = letGoMs + killMs;
/** Also how soon a cancel is noticed, and how often progress is stored. */
export const renewEveryMs = 1_000;
/**
 * For how long a lease that has ended by the clock is watched before its job is taken over: a holder that lives renews it
 * meanwhile, whoever's clock was set or is wrong.
 */
export const watchMs = 3 * renewEveryMs;
/** For how long the catalog may refuse a renewal: somewhat longer than a write waits for another process's. */
const patienceMs = 12_000;
/** For how long a job belongs to a process that does not renew. */
export const leaseMs = patienceMs + marginMs;
