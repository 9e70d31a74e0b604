#!/bin/sh
# `npm run bench [-- CASE… --scale N --rounds N]`: measures tidemark against its peers on this machine.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd -P)
sh "$root/test/setup.sh"
exec "$root/node_modules/.bin/node" "$root/bench/main.ts" "$@"
