/** What `tidemark` starts with. Without all of its files it cannot tell errors as it does, so this one needs none. */
try {
  await import('./main.ts');
} catch (thrown) {
  if (!(thrown instanceof Error) || !('code' in thrown)) throw thrown;
  if ('syscall' in thrown && thrown.syscall === 'uv_cwd') {
    process.stderr.write('error USAGE: the folder that this runs in is not there any more\n');
    process.stderr.write('hint: Go to a folder that exists, such as `cd /`, and give `--config`.\n');
    process.exitCode = 3;
  } else if (String(thrown.code).endsWith('MODULE_NOT_FOUND')) {
    process.stderr.write(`error INSTALLATION_BROKEN: ${thrown.message}\n`);
    process.stderr.write('hint: A file of tidemark is missing. Install it again; in a checkout run `npm ci`.\n');
    process.exitCode = 127;
  } else throw thrown;
}
