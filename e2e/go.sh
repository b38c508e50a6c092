#!/usr/bin/env bash
# go.sh build|install …: go, which says how far it is, where it would say nothing for minutes.
set -euo pipefail

readonly VERB=$1
shift

go "$VERB" -v "$@" 2>&1 | awk '
  /^go: downloading / { next }
  /^[A-Za-z0-9._~\/-]+$/ { if (++packages % 200 == 0) { printf "    %d packages\n", packages; fflush() } next }
  { print; fflush() }
' >&2
