#!/bin/sh
# Brings what tidemark's tests, benchmarks and quickstart need: npm's packages by the lock file, and from Debian those that hold the
# commands given (all of packages.txt by default); builds what is there, where it is not built. Installs when it is root on a Debian; elsewhere says exactly what to install.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd -P)
cd "$root"

npm_packages_are_fresh() {
  [ -x node_modules/node/bin/node ] && node_modules/node/bin/node test/packages-are-fresh.cjs
}

package_of() {
  while read -r command package; do
    if [ "$command" = "$1" ]; then echo "$package"; fi
  done <test/packages.txt
}

missing_packages() {
  for command in "$@"; do
    PATH=$PATH:/usr/sbin:/sbin command -v "$command" >/dev/null || package_of "$command"
  done | sort -u | tr '\n' ' '
}

if ! command -v npm >/dev/null; then
  echo 'npm is missing: install it with `apt-get install npm`, or Node with its npm from https://nodejs.org' >&2
  exit 1
fi
if ! npm_packages_are_fresh; then
  echo 'installing npm packages by package-lock.json: npm ci'
  npm ci --prefer-offline --no-audit --no-fund --loglevel=error
fi
if ! node_modules/node/bin/node build/is-built.ts; then
  npm run --silent build || echo 'this is not built: what is started runs from its source' >&2
fi

[ $# -gt 0 ] || set -- $(cut -d ' ' -f 1 test/packages.txt)
packages=$(missing_packages "$@")
[ -n "$packages" ] || exit 0
if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
  echo "installing Debian packages: $packages"
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends $packages >/dev/null </dev/null
else
  echo "these Debian packages (or what holds the same commands elsewhere) are missing: $packages" >&2
  echo "install them as root: apt-get update && apt-get install --no-install-recommends $packages" >&2
  exit 1
fi
