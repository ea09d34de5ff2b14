#!/bin/sh
# Installs the MongoDB Database Tools into an image based on Debian 12, from the repository of their vendor.
#
#   install-mongo-tools.sh 8.0    from the series 8.0 of the repository
#   install-mongo-tools.sh ""     nothing: Backstop's own source makes the same archives
set -eu
series=$1
[ -n "$series" ] || exit 0
export DEBIAN_FRONTEND=noninteractive
keyring=/usr/share/keyrings/mongodb.asc

apt-get update
apt-get install -y --no-install-recommends ca-certificates curl
curl -fsSL "https://pgp.mongodb.com/server-$series.asc" -o "$keyring"
echo "deb [signed-by=$keyring] https://repo.mongodb.org/apt/debian bookworm/mongodb-org/$series main" \
  > /etc/apt/sources.list.d/mongodb.list
apt-get update
apt-get install -y --no-install-recommends mongodb-database-tools
apt-get purge -y --auto-remove curl
rm -rf /var/lib/apt/lists/*

mongodump --version
mongorestore --version
