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

# One release after the other, oldest first: packages know how to upgrade from the release before, not from older ones.
install_from_debian() {
  archive=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep '/debian/\?$' | head -n 1)
  keyring=/usr/share/keyrings/debian-archive-keyring.gpg
  # The index of a release in testing is valid for a week only, and mirrors lag behind.
  echo 'Acquire::Check-Valid-Until "false";' > /etc/apt/apt.conf.d/99-postgres-clients
  for major in $majors; do
    suite=$(suite_of "$major")
    if [ -z "$suite" ]; then
      echo "PostgreSQL $major is in no release of Debian: its servers are dumped by the next newer client" >&2
      continue
    fi
    echo "deb [signed-by=$keyring] $archive $suite main" > /etc/apt/sources.list.d/postgres-clients.list
    apt-get update
    apt-get install -y --no-install-recommends -t "$suite" "postgresql-client-$major"
  done
  # Later installations in the same image come from the image's own release again.
  rm /etc/apt/sources.list.d/postgres-clients.list /etc/apt/apt.conf.d/99-postgres-clients
}

install_from_pgdg() {
  apt-get install -y --no-install-recommends ca-certificates postgresql-common
  /usr/share/postgresql-common/pgdg/apt.postgresql.org.sh -y
  for major in $majors; do
    apt-get install -y --no-install-recommends "postgresql-client-$major"
  done
}

apt-get update
case $source in
  pgdg) install_from_pgdg ;;
  debian) install_from_debian ;;
  *)
    echo "the source must be pgdg or debian, not '$source'" >&2
    exit 2
    ;;
esac
rm -rf /var/lib/apt/lists/*

for tool in /usr/lib/postgresql/*/bin/pg_dump; do "$tool" --version; done
