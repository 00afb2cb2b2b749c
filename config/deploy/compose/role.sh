#!/bin/sh
# Run once by the image of PostgreSQL, when it makes the database: the role of web, worker and beat, which owns nothing.
# What it may do says manage.py database_grants, after each migrate.
set -eu
psql --set ON_ERROR_STOP=1 --username survey_owner --dbname survey \
  --set password="$(cat /run/secrets/database_app_password)" <<'SQL'
CREATE ROLE survey LOGIN PASSWORD :'password';
SQL
