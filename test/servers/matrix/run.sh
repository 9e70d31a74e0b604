#!/bin/sh
# `npm run test:servers`: the mysql driver against servers that Debian's own release does not have. Not a part of `npm test`,
# for it downloads some 100 MB the first time, into TIDEMARK_SERVERS (a folder below the temporary one when not set).
set -eu
root=$(cd "$(dirname "$0")/../../.." && pwd -P)
cd "$root"
TIDEMARK_SERVERS=${TIDEMARK_SERVERS:-${TMPDIR:-/tmp}/tidemark-test-servers}
export TIDEMARK_SERVERS

sh test/setup.sh mariadb openssl
PATH=$root/node_modules/.bin:$PATH:/usr/sbin:/sbin
export PATH
sh test/servers/matrix/fetch.sh "$TIDEMARK_SERVERS" || {
  echo 'a server could not be fetched: this needs a Debian of x86-64 with apt, npm and the network, or TIDEMARK_SERVERS=FOLDER' >&2
  echo 'with what such a machine has fetched' >&2
  exit 1
}
[ $# -gt 0 ] || set -- test/servers/matrix/*.matrix.ts
exec node --test --test-reporter=spec --test-concurrency=1 --test-timeout=240000 "$@"
