/** What a job process starts with: takes one job from the daemon, runs it and ends. */
import { useCompileCache } from '../compile-cache.ts';

useCompileCache();
const { performJob } = await import('./perform.ts');
await performJob(process);
