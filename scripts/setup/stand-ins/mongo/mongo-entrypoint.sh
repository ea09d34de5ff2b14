#!/bin/bash
# Takes the official image's MONGO_INITDB_ROOT_USERNAME and MONGO_INITDB_ROOT_PASSWORD; users are PostgreSQL roles
# underneath, which log in by SCRAM.
set -euo pipefail
export POSTGRES_USER="${MONGO_INITDB_ROOT_USERNAME:-root}" POSTGRES_PASSWORD="${MONGO_INITDB_ROOT_PASSWORD:-root}" POSTGRES_DB=postgres

docker-entrypoint.sh postgres -c listen_addresses=127.0.0.1 &
server=$!
trap 'kill -INT $server 2>/dev/null; wait $server' TERM INT

has_extension() {
  PGPASSWORD=$POSTGRES_PASSWORD psql -qtA -h 127.0.0.1 -U "$POSTGRES_USER" -d postgres \
    -c "select 1 from pg_extension where extname = 'documentdb'" 2>/dev/null | grep -q 1
}
for _ in $(seq 1 600); do
  has_extension && break
  kill -0 "$server"
  sleep 0.1
done

auth=--auth
[ -n "${MONGO_INITDB_ROOT_USERNAME:-}" ] || auth=--no-auth
# By the environment: everybody on the machine can read a command line.
export FERRETDB_POSTGRESQL_URL="postgres://$POSTGRES_USER:$POSTGRES_PASSWORD@127.0.0.1:5432/postgres"
ferretdb --listen-addr=0.0.0.0:27017 --debug-addr=- --telemetry=disable --state-dir=- "$auth" &
wait -n "$server" $!
