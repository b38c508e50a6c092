#!/usr/bin/env bash
# Makes the three images, one OCI archive each in target/images: a static program on nothing.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly TRIPLE=x86_64-unknown-linux-gnu
readonly PROGRAMS=${CARGO_TARGET_DIR:-target}/$TRIPLE/debug
readonly REGISTRY=${REGISTRY:-registry.localhost/internet-disk}
readonly OUT=target/images

VERSION=$(sed -n '/^\[workspace.package\]/,/^$/s/^version = "\(.*\)"$/\1/p' Cargo.toml)
readonly VERSION

# Without what only a debugger reads, a third is left to load onto every node.
image() {
  local name=$1 stripped=$OUT/$1
  objcopy --strip-debug "$PROGRAMS/$name" "$stripped"
  target/cluster/cluster image --out "$OUT/$name.tar" --name "$REGISTRY/$name:$VERSION" \
    --user 65532:65532 --entrypoint "/$name" "/$name=$stripped"
  printf '    %s %s\n' "$(du -h "$OUT/$name.tar" | cut -f1)" "$REGISTRY/$name:$VERSION"
  rm "$stripped"
}

mkdir -p "$OUT"
for name in operator disk-pod web-pod; do image "$name"; done
