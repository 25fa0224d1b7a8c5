#!/bin/sh
# Run by the Postgres image when it makes the database (docker-compose.yml).
set -eu
psql --no-psqlrc --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" \
  --set migrator_password="$MIGRATOR_PASSWORD" --set app_password="$APP_PASSWORD" \
  --set analyst_password="$ANALYST_PASSWORD" --file /roles.sql
