#!/usr/bin/env bash
# rclone: rclone.sh URL NAME PASSWORD. A tree of a hundred files goes up, is compared, moved, and comes back.
set -uo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
for number in $(seq 100); do
  mkdir -p "$here/tree/한글 $((number % 7))"
  echo "$number" >"$here/tree/한글 $((number % 7))/$number é+&.txt"
done
options=(--config /dev/null --retries 1 --webdav-url "$1" --webdav-vendor owncloud)
[ -z "$2" ] || options+=(--webdav-user "$2" --webdav-pass "$(rclone obscure "$3")")

step() {
  local name=$1 said
  shift
  if said=$("$@" 2>&1); then echo "$name: ok"; else echo "$name: $(tail -1 <<<"$said" | cut -c1-160)"; fi
}
disk() { rclone "$@" "${options[@]}"; }

step copy disk copy "$here/tree" :webdav:rclone
step check disk check --download "$here/tree" :webdav:rclone
step times bash -c '! rclone copy -v "$@" 2>&1 | grep -q Copied' _ "$here/tree" :webdav:rclone "${options[@]}"
rm -r "$here/tree/한글 0"
step sync disk sync "$here/tree" :webdav:rclone
step move disk moveto :webdav:rclone :webdav:moved
step back disk copy :webdav:moved "$here/back"
step compare diff -r "$here/tree" "$here/back"
step purge disk purge :webdav:moved
