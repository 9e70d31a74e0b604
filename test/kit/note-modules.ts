import { writeFileSync } from 'node:fs';
import { registerHooks } from 'node:module';

/** For `node --import`: every module that the process loads, a URL a line, goes to the file that LOADED_MODULES names. */
const loaded: string[] = [];

registerHooks({
  load(url, context, next) {
    loaded.push(url);
    return next(url, context);
  },
});

process.on('exit', () => {
  if (process.env.LOADED_MODULES) writeFileSync(process.env.LOADED_MODULES, loaded.join('\n'));
});
