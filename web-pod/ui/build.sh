#!/usr/bin/env bash
# Builds the page into dist/, which web-pod embeds. Quick when nothing changed: a stamp holds the hash of all that
# the outcome depends on.
set -euo pipefail
cd "$(dirname "$0")"

digest() { sort -z | xargs -0 sha256sum | sha256sum | cut -d' ' -f1; }

# npm ci removes everything first, so it runs only when the lock is another one than the installed one.
readonly INSTALLED=node_modules/.installed
lock=$(printf '%s\0' package.json package-lock.json | digest)
if [ "$(cat "$INSTALLED" 2>/dev/null)" != "$lock" ]; then
  echo "  installing what the page is built with"
  npm ci --silent
  printf '%s' "$lock" >"$INSTALLED"
fi

readonly BUILT=node_modules/.built
sources=$(find src public index.html vite.config.ts tsconfig.json package-lock.json -type f -print0 | digest)
if [ -f dist/index.html ] && [ "$(cat "$BUILT" 2>/dev/null)" = "$sources" ]; then
  exit 0
fi
rm -f "$BUILT"
npm run --silent build -- --logLevel warn
printf '%s' "$sources" >"$BUILT"
