#!/bin/sh
# Unpacks packages of another Debian suite, and what they depend on, into a folder, without installing anything:
#   unpack-debian.sh SUITE FOLDER PACKAGE...
# Apt runs with a state of its own and this machine's mirror. FOLDER/run/NAME then starts an unpacked program NAME with the
# libraries unpacked beside it.
set -eu
suite=$1 folder=$2
shift 2
state=$folder.apt
rm -rf "$state"
mkdir -p "$state/lists/partial" "$state/archives/partial" "$state/empty" "$folder/run"
: >"$state/status"

mirror=$(grep -rhoE '(https?|file)://[^ ]+/debian/?( |$)' /etc/apt/sources.list /etc/apt/sources.list.d 2>/dev/null |
  grep -v security | head -n 1 | tr -d ' ')
if [ -z "$mirror" ]; then
  echo 'this needs a Debian whose apt has a mirror of Debian in its sources' >&2
  exit 1
fi
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $suite main" >"$state/sources.list"
cat >"$state/apt.conf" <<CONF
Dir::State "$state"; Dir::State::lists "$state/lists"; Dir::State::status "$state/status";
Dir::Cache "$state"; Dir::Cache::archives "$state/archives";
Dir::Etc::sourcelist "$state/sources.list"; Dir::Etc::sourceparts "$state/empty"; Dir::Etc::parts "$state/empty";
Dir::Etc::main "$state/none"; Dir::Etc::preferences "$state/none"; Dir::Etc::preferencesparts "$state/empty";
Acquire::Languages "none"; APT::Install-Recommends "false"; APT::Sandbox::User "root";
Acquire::Check-Valid-Until "false"; # a mirror may stand still; signatures are checked all the same
CONF
APT_CONFIG=$state/apt.conf
export APT_CONFIG

apt-get -qq update
apt-get -qq -y --download-only install "$@" >/dev/null
for archive in "$state"/archives/*.deb; do
  dpkg-deb --fsys-tarfile "$archive" | tar -x -C "$folder" --keep-directory-symlink --no-same-owner \
    --exclude=./usr/share/doc --exclude=./usr/share/man --exclude=./usr/share/locale
done

loader=$(find "$folder/usr/lib64" "$folder/lib64" "$folder/usr/lib" -name 'ld-linux*.so.*' 2>/dev/null | head -n 1)
libraries=$(find "$folder/usr/lib" "$folder/lib" -name '*.so*' 2>/dev/null | xargs -n 1 dirname | sort -u | grep -v /plugin | tr '\n' ':')
for program in "$folder"/usr/bin/* "$folder"/usr/sbin/*; do
  [ "$(head -c 4 "$program" 2>/dev/null | tail -c 3)" = ELF ] || continue
  printf '#!/bin/sh\nexec %s --argv0 %s --library-path %s %s "$@"\n' "$loader" "$program" "$libraries" "$program" \
    >"$folder/run/$(basename "$program")"
  chmod 755 "$folder/run/$(basename "$program")"
done
rm -rf "$state"
