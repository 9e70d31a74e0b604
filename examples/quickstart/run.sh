#!/bin/sh
# `npm run quickstart`: from YAML to a restored database in about a minute, on a server and in a folder of its own.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd -P)
sh "$root/test/setup.sh" mariadbd mariadb-install-db mariadb restic setpriv
exec "$root/node_modules/.bin/node" "$root/examples/quickstart/main.ts"
