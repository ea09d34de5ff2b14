#!/bin/sh
# Installs the MongoDB Database Tools into an image based on Debian 12, from the repository of their vendor.
#
#   install-mongo-tools.sh 8.0    from the series 8.0 of the repository; any series of the majors 7 and 8
#   install-mongo-tools.sh ""     nothing: Backstop's own source makes the same archives
set -eu
series=$1
[ -n "$series" ] || exit 0

# The vendor signs all series of a major with the key of its first one: 8.2 has none of its own. What is downloaded is a key only if it
# has the fingerprint that Docker's official image of that major names, too.
case $series in
  7.[0-9]*) key=server-7.0.asc fingerprint=E58830201F7DD82CD808AA84160D26BB1785BA38 ;;
  8.[0-9]*) key=server-8.0.asc fingerprint=4B0752C1BCA238C0B4EE14DC41DE058A4E7DCA05 ;;
  *)
    echo "MONGO_TOOLS must be a series of MongoDB 7 or 8, such as 8.0, and not '$series': of others the key is not known here" >&2
    exit 2
    ;;
esac
export DEBIAN_FRONTEND=noninteractive
keyring=/usr/share/keyrings/mongodb.gpg
list=/etc/apt/sources.list.d/mongodb.list

apt-get update
apt-get install -y --no-install-recommends ca-certificates curl gnupg
GNUPGHOME=$(mktemp -d)
export GNUPGHOME
curl -fsSL --proto '=https' --retry 3 "https://pgp.mongodb.com/$key" | gpg --batch --import
# Nothing is exported where the key is another one.
gpg --batch --export "$fingerprint" > "$keyring" || true
if ! [ -s "$keyring" ]; then
  echo "https://pgp.mongodb.com/$key is not the key $fingerprint: nothing is installed" >&2
  exit 1
fi
gpgconf --kill all
rm -rf "$GNUPGHOME"

echo "deb [signed-by=$keyring] https://repo.mongodb.org/apt/debian bookworm/mongodb-org/$series main" > "$list"
apt-get update
if ! apt-get install -y --no-install-recommends mongodb-database-tools; then
  echo "the vendor's repository gave no MongoDB Database Tools for Debian 12 on $(dpkg --print-architecture) in the series $series;" \
    "without MONGO_TOOLS the image makes and restores the same archives by itself" >&2
  exit 1
fi
# Later installations in the same image come from the image's own release again.
rm "$list" "$keyring"
apt-get purge -y --auto-remove curl gnupg
rm -rf /var/lib/apt/lists/*

mongodump --version
mongorestore --version
