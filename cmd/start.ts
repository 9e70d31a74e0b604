/** What `tidemark` starts with. Without all of its files it cannot tell errors as it does, so this one needs none. */
try {
  await import('./main.ts');
} catch (thrown) {
  if (!(thrown instanceof Error) || !('code' in thrown) || !String(thrown.code).endsWith('MODULE_NOT_FOUND'))
    throw thrown;
  process.stderr.write(`error INSTALLATION_BROKEN: ${thrown.message}\n`);
  process.stderr.write('hint: A file of tidemark is missing. Install it again; in a checkout run `npm ci`.\n');
  process.exitCode = 127;
}
