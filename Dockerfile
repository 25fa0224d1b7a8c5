# The server, for every ROLE, compiled when the image is made: it runs from a file system that it can't write to.

FROM node:20-bookworm-slim AS base
WORKDIR /app
ENV NODE_ENV=production

# A stage of its own, so that a change of the sources does not install the packages again.
# Install scripts stay off: what is native here (lmdb, esbuild) comes prebuilt as a package of its own.
FROM base AS packages
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --ignore-scripts && npm cache clean --force

FROM base AS server
COPY --from=packages /app/node_modules ./node_modules
COPY package.json tsconfig.json LICENSE ./
COPY bin ./bin
COPY src ./src
COPY projections ./projections
COPY web ./web
RUN node --input-type=module -e "await (await import('/app/bin/compiled.js')).compile()"
# The sources belong to root: the server can read but not change them. Only embedded mode writes, and only to /data.
RUN install -d -o node -g node -m 0700 /data
ENV HOST=0.0.0.0 PORT=3000 DATA_DIR=/data
VOLUME /data
EXPOSE 3000
USER node
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:' + process.env.PORT + '/healthz').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
STOPSIGNAL SIGTERM
CMD ["node", "bin/workshop.js", "serve"]
