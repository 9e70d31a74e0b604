// Exits 0 when node_modules holds what package-lock.json asks for, by npm's own record of what it installed.
const fs = require('node:fs');

const locked = packagesOf('package-lock.json');
const installed = packagesOf('node_modules/.package-lock.json');
const stale = Object.keys(locked).some((path) => path !== '' && isStale(locked[path], installed[path]));
process.exit(stale ? 1 : 0);

function packagesOf(file) {
  return fs.existsSync(file) ? JSON.parse(fs.readFileSync(file, 'utf8')).packages : {};
}

/** Optional packages of other platforms are locked but not installed. */
function isStale(locked, installed) {
  return installed === undefined ? !locked.optional : installed.version !== locked.version;
}
