// Loaded before tidemark by the launcher, by a Node of unknown age: nothing newer than ES2015 here.
const parts = process.versions.node.split('.').map(Number);
if (parts[0] < 24 || (parts[0] === 24 && parts[1] < 12)) {
  process.stderr.write(`error NODE_TOO_OLD: ${process.execPath} is Node ${process.versions.node}\n`);
  process.stderr.write('hint: Tidemark needs Node 24.12 or newer: run `npm install node@24`, or set TIDEMARK_NODE.\n');
  process.exit(127);
}
