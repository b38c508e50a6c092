#!/usr/bin/env bash
# step.sh TITLE COMMAND…: says what begins, and how long it took.
set -euo pipefail
title=$1
shift
began=$SECONDS
printf '\n==> %s\n' "$title"
"$@"
printf '==> %s: %d s\n' "$title" "$((SECONDS - began))"
