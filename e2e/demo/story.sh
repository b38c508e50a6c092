#!/usr/bin/env bash
# The story of the demo: real files go up from a browser while the disk server that takes them is killed, stopped,
# cut off, and has its volume hung; and how long the browser stood still each time.
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=e2e/demo/place.sh
source e2e/demo/place.sh

[ -f "$ENV_FILE" ] || fail "There is no demo yet: make demo"
exec cargo nextest run --workspace -E 'package(internet-disk-e2e) and binary(failover)' --no-capture
