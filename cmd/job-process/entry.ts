/** What a job process starts with: takes one job from the daemon, runs it and ends. */
import { performJob } from './perform.ts';

await performJob(process);
