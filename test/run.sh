#!/bin/sh
# `npm test`: everything, from a clean clone. Fails at the first stage that fails, so that the cheap ones speak first.
# With arguments, which are files or options of Node's test runner, runs only those tests.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd -P)
cd "$root"

sh test/setup.sh
bin=$root/node_modules/.bin
PATH=$bin:$PATH:/usr/sbin:/sbin
# Node keeps there what it compiled: of the tests, of their children, and of what both load.
NODE_COMPILE_CACHE=$root/node_modules/.cache/tidemark-test
# As cmd/tidemark sets it: else the memory of each backup in a test is cleared anew, and stays, which makes each child cost more.
MALLOC_MMAP_THRESHOLD_=262144
export PATH NODE_COMPILE_CACHE MALLOC_MMAP_THRESHOLD_

if [ $# -eq 0 ]; then
  echo '== npm run check' && npm run --silent check
  # Files that take long come first, so that none of them is left alone at the end. Node sorts by path, and `/` is before `t`.
  while read -r file; do
    [ -f "$file" ] || { echo "test/long.txt names $file, which is not there" >&2 && exit 1; }
    set -- "$@" "$root/$file"
  done <test/long.txt
  set -- "$@" $(find test -name '*.test.ts' | grep -vxFf test/long.txt)
fi
echo '== node --test'
# Much of a test's time is waiting for servers and disks, so four more run than there are processors.
# The time-out is that of one file with all its tests, and ends a test that hangs.
exec node --test --test-reporter=spec --test-concurrency=$(($(getconf _NPROCESSORS_ONLN) + 4)) --test-timeout=240000 "$@"
