#!/usr/bin/env bash
# ext4, seen through several mounts of one directory: what the engine is measured against. The kernel is client and
# server, so there is nothing to kill. See place.sh for the verbs.
set -euo pipefail
# shellcheck source=e2e/filesystems/place.sh
source "$(dirname "$0")/place.sh"

client_pid() { echo 0; }

# The directory itself where that is on ext4, else an image of one.
make_store() {
  mkdir -p "$BASE/store"
  if [ "$(stat --file-system --format=%T "$BASE/store")" != ext2/ext3 ]; then
    need_packages e2fsprogs
    truncate --size=2G "$BASE/image"
    mkfs.ext4 -q "$BASE/image"
    mount -o loop "$BASE/image" "$BASE/store" ||
      fail "$BASE is not on ext4, and an image of one cannot be mounted: choose a directory on ext4"
  fi
}

start() {
  local count=${1:-2} number
  need_root
  stop_all
  mkdir -p "$BASE/log"
  make_store
  for number in $(seq "$count"); do
    mkdir -p "$BASE/m$number"
    mount --bind "$BASE/store" "$BASE/m$number"
  done
  write_mounts "$count"
}

case $VERB in
  start) start "${3:-}" ;;
  stop) stop_all ;;
  *) fail "ext4 is part of the kernel: no process can be killed or brought back" ;;
esac
