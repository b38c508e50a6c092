#!/usr/bin/env bash
# Builds target/cluster/cluster, and the pause program beside it. The first time takes some minutes.
set -euo pipefail
cd "$(dirname "$0")"

readonly OUT=../../target/cluster
KUBERNETES=$(sed -n 's#^[[:space:]]*k8s.io/kubernetes \(v[0-9.]*\)$#\1#p' go.mod)
readonly KUBERNETES
readonly VERSION=k8s.io/component-base/version
export CGO_ENABLED=0

[ -x "$OUT/cluster" ] || printf '    building Kubernetes %s, some 2800 packages: minutes the first time\n' "$KUBERNETES"
mkdir -p "$OUT"
go build -trimpath -ldflags "-s -w" -o "$OUT/pause" ./pause
../go.sh build -trimpath -o "$OUT/cluster" \
  -ldflags "-s -w -X $VERSION.gitVersion=$KUBERNETES -X $VERSION.gitMajor=1 -X $VERSION.gitMinor=$(cut -d. -f2 <<<"$KUBERNETES") -X $VERSION.gitTreeState=clean" .
