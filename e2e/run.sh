#!/usr/bin/env bash
# The end-to-end tests. A demo that runs is used and left as it is; without one, one is made for them and taken
# down afterwards.
set -euo pipefail
cd "$(dirname "$0")/.."

if [ ! -f target/demo.env ]; then
  trap 'e2e/demo/down.sh' EXIT
fi
e2e/demo/up.sh
cargo nextest run -p internet-disk-e2e "$@"
