# Backstop in a container: the compiled service, Node, and PostgreSQL's client tools of every major that it can dump.
#
#   docker build -t backstop .
#   docker run -d -p 127.0.0.1:8000:8000 -v backstop-data:/data backstop
#
# NODE_IMAGE         Any image with Node 24 on Debian 12.
# PG_CLIENT_SOURCE   pgdg: packages of the PostgreSQL project. debian: Debian's own, where the former cannot be reached.
# PG_CLIENT_MAJORS   Majors to install. A server needs a client that is not older than itself.
# MONGO_TOOLS        Series of the vendor's repository to install the MongoDB Database Tools from, as 8.0. Their key is checked; for
#                    Debian the vendor has them for amd64 only, and elsewhere the build fails. Empty, as by default: the source
#                    that is built in serves.
#
# Behind a proxy with a certificate of its own, put the authorities' PEM file beside this one as extra-ca.crt and add
#   --build-arg NODE_EXTRA_CA_CERTS=/build/extra-ca.crt --build-arg NPM_CONFIG_CAFILE=/build/extra-ca.crt
ARG NODE_IMAGE=node:24-bookworm-slim

FROM ${NODE_IMAGE} AS build
WORKDIR /build
ARG NODE_EXTRA_CA_CERTS
ARG NPM_CONFIG_CAFILE
# sqlite3 is compiled where no built copy of it can be downloaded; its headers come with the image's Node.
RUN apt-get update \
    && apt-get install -y --no-install-recommends python3 make g++ \
    && rm -rf /var/lib/apt/lists/*
ENV npm_config_nodedir=/usr/local
# The pattern lets the file be absent.
COPY package.json package-lock.json extra-ca.cr[t] ./
# No install scripts but the one that is needed: the image has its Node.
RUN npm ci --ignore-scripts --no-audit --no-fund && npm rebuild sqlite3
COPY nest-cli.json tsconfig.json tsconfig.build.json ./
COPY src ./src
RUN npm run build && test -f dist/main.js && npm prune --omit=dev --ignore-scripts --no-audit --no-fund

FROM ${NODE_IMAGE}
ARG PG_CLIENT_SOURCE=pgdg
ARG PG_CLIENT_MAJORS="15 16 17 18"
# tini is the first process: it reaps what tools leave behind and hands signals on.
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates tini \
    && rm -rf /var/lib/apt/lists/*
COPY scripts/image/install-postgres-clients.sh /tmp/
RUN /tmp/install-postgres-clients.sh "$PG_CLIENT_SOURCE" "$PG_CLIENT_MAJORS" && rm /tmp/install-postgres-clients.sh
ARG MONGO_TOOLS=""
COPY scripts/image/install-mongo-tools.sh /tmp/
RUN /tmp/install-mongo-tools.sh "$MONGO_TOOLS" && rm /tmp/install-mongo-tools.sh
# A new volume takes over the owner of the folder that it covers. By /app/data the catalog's default path leads there: DATABASE_PATH
# set here would stand against a DATABASE_URL. In /app/config is the file config.yaml, when one is mounted there.
RUN mkdir -p /data /app/config && chown node:node /data && chmod 0700 /data && ln -s /data /app/data
WORKDIR /app
COPY --from=build /build/node_modules ./node_modules
COPY --from=build /build/dist ./dist
COPY package.json LICENSE* ./
# The command line, for `docker exec`.
RUN chmod +x dist/cli.js && ln -s /app/dist/cli.js /usr/local/bin/backstop
# The API serves the page of each problem.
COPY docs/problems ./docs/problems
ENV NODE_ENV=production \
    HOST=0.0.0.0 \
    PORT=8000 \
    BACKUP_DIR=/data/backups \
    WORK_DIR=/data/work
USER node
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
    CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/health/live`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["tini", "--"]
CMD ["node", "--enable-source-maps", "dist/main.js"]
