#!/bin/sh
# The lake of a container, as user app, who can become nobody else. Only root may read the key of
# the object store, which goes to the lake alone.

set -eu
SKEIN_LAKE_S3_SECRET_KEY="$(cat /run/secrets/skein/store)"
export SKEIN_LAKE_S3_SECRET_KEY
exec setpriv --reuid=app --regid=app --init-groups --no-new-privs \
  node /app/packages/lake/src/main.ts serve
