#!/bin/sh
# Installs PostgreSQL's client tools of several majors into an image based on Debian.
#
#   install-postgres-clients.sh pgdg   "15 16 17 18"   from the PostgreSQL project's own packages
#   install-postgres-clients.sh debian "15 16 17 18"   from Debian's releases, each of which holds one major
set -eu
source=$1
majors=$2
export DEBIAN_FRONTEND=noninteractive

suite_of() {
  case $1 in
    15) echo bookworm ;;
    17) echo trixie ;;
    18) echo forky ;;
  esac
}

add_debian_releases() {
  archive=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep '/debian/\?$' | head -n 1)
  keyring=/usr/share/keyrings/debian-archive-keyring.gpg
  for major in $majors; do
    suite=$(suite_of "$major")
    [ -z "$suite" ] || echo "deb [signed-by=$keyring] $archive $suite main"
  done > /etc/apt/sources.list.d/postgres-clients.list
  # The index of a release in testing is valid for a week only, and mirrors lag behind.
  echo 'Acquire::Check-Valid-Until "false";' > /etc/apt/apt.conf.d/99-postgres-clients
  apt-get update
}

apt-get update
packages=
case $source in
  pgdg)
    apt-get install -y --no-install-recommends ca-certificates postgresql-common
    /usr/share/postgresql-common/pgdg/apt.postgresql.org.sh -y
    for major in $majors; do packages="$packages postgresql-client-$major"; done
    ;;
  debian)
    add_debian_releases
    for major in $majors; do
      if [ -n "$(suite_of "$major")" ]; then
        packages="$packages postgresql-client-$major"
      else
        echo "PostgreSQL $major is in no release of Debian: its servers are dumped by the next newer client" >&2
      fi
    done
    ;;
  *)
    echo "the source must be pgdg or debian, not '$source'" >&2
    exit 2
    ;;
esac
# shellcheck disable=SC2086 # a list of words
apt-get install -y --no-install-recommends $packages

# Later installations in the same image come from the image's own release again.
rm -f /etc/apt/sources.list.d/postgres-clients.list /etc/apt/apt.conf.d/99-postgres-clients
rm -rf /var/lib/apt/lists/*

for package in $packages; do
  "/usr/lib/postgresql/${package##*-}/bin/pg_dump" --version
done
