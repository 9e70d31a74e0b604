#!/bin/sh
# `npm run test:soak [MINUTES]`: what is tried at random, for long: one file of `*.soak.ts` after the other, each for so many
# minutes (60 when not given, which is also the most). Not a part of `npm test`. A failure names its seed: TIDEMARK_SOAK_SEED
# does the same again.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd -P)
cd "$root"

sh test/setup.sh
PATH=$root/node_modules/.bin:$PATH:/usr/sbin:/sbin
TIDEMARK_SOAK_MINUTES=${1:-60}
export PATH TIDEMARK_SOAK_MINUTES
[ $# -eq 0 ] || shift
[ $# -gt 0 ] || set -- 'test/**/*.soak.ts'
exec node --test --test-reporter=spec --test-concurrency=1 --test-timeout=4500000 "$@"
