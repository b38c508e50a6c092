# shellcheck shell=bash
# shellcheck disable=SC2034 # the scripts that source it use its names
# What the scripts of this directory share: where a shared file system is, what runs for it, and its mounts.
#
#   FILESYSTEM.sh start DIR [MOUNTS]     starts servers, and so many mounts (2): DIR/m1, DIR/m2…
#   FILESYSTEM.sh kill-client DIR N      kills the client behind a mount, as when its process crashes
#   FILESYSTEM.sh kill-server DIR        kills the server that all clients ask
#   FILESYSTEM.sh kill-store DIR         kills the server that has the contents, where it keeps them on disk
#   FILESYSTEM.sh bring-back DIR         starts again whatever was killed
#   FILESYSTEM.sh stop DIR               ends all of it and removes DIR
#
# Everything runs in a network namespace that belongs to DIR, so no port of the machine is used, and what a killed
# run left is found by it. `start` begins with `stop`. DIR/mounts says what there is, a line for each mount:
#   PATH PID        the process id of its client; 0 where the kernel is the client
# What was said is in DIR/log.

VERB=${1:-}
BASE=${2:-}
SHARED_LIMIT=60 # seconds that anything may take until it is ready

fail() {
  printf '%s: %s\n' "$(basename "$0")" "$*" >&2
  exit 1
}

[ -n "$BASE" ] || fail "usage: $(basename "$0") start|kill-client|kill-server|bring-back|stop DIR [N]"
mkdir -p "$(dirname "$BASE")"
BASE=$(cd "$(dirname "$BASE")" && pwd)/$(basename "$BASE")
NETWORK=idf-$(printf '%s' "$BASE" | cksum | cut -d' ' -f1)
IN=(nsenter "--net=/run/netns/$NETWORK")

need_root() {
  [ "$(id -u)" -eq 0 ] || fail "mounting a file system needs root: run it as root"
}

need_fuse() {
  [ -c /dev/fuse ] || modprobe fuse 2>/dev/null || true
  [ -c /dev/fuse ] || fail "/dev/fuse is missing: this machine has no FUSE, and the test of this file system needs it"
}

# The packages of a file system, without the servers that Debian would start at once.
need_packages() {
  local package missing=()
  for package in "$@"; do
    dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed ||
      missing+=("$package")
  done
  [ "${#missing[@]}" -gt 0 ] || return 0
  printf '  installing %s\n' "${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive
  local policy=
  [ -e /usr/sbin/policy-rc.d ] || policy=/usr/sbin/policy-rc.d
  [ -z "$policy" ] || { printf '#!/bin/sh\nexit 101\n' >"$policy" && chmod +x "$policy"; }
  local result=0
  { apt-get update -qq && apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null; } || result=$?
  [ -z "$policy" ] || rm -f "$policy"
  [ "$result" -eq 0 ] || fail "these packages cannot be installed: ${missing[*]}"
}

# until_ready WHAT COMMAND…: tries until it succeeds.
until_ready() {
  local what=$1 began=$SECONDS
  shift
  until "$@" >>"$BASE/log/waiting.log" 2>&1; do
    [ $((SECONDS - began)) -lt "$SHARED_LIMIT" ] || fail "waited $SHARED_LIMIT s in vain until $what; see $BASE/log"
    sleep 0.1
  done
}

make_network() {
  local address=$1
  ip netns add "$NETWORK"
  "${IN[@]}" ip link set lo up
  "${IN[@]}" ip address add "$address/32" dev lo
}

# The processes of this place whose command line has a text in it.
processes() {
  local text=$1 pid
  for pid in $(ip netns pids "$NETWORK" 2>/dev/null); do
    if tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null | grep -qF -- "$text"; then printf '%s\n' "$pid"; fi
  done
}

# The mount point of a client that is gone must not look like an empty volume.
make_mount_point() {
  mkdir -p "$1"
  mount -t tmpfs -o ro,size=4k,mode=555 "nothing-is-mounted" "$1"
}

unmount_client() {
  local path=$1
  while awk -v path="$path" '$2 == path { type = $3 } END { print type }' /proc/mounts | grep -q fuse; do
    umount --lazy "$path"
  done
}

# A process that was killed is gone once it is reaped.
end() {
  local pid
  for pid in "$@"; do kill -KILL "$pid" 2>/dev/null || true; done
  for pid in "$@"; do
    for _ in $(seq 200); do
      [ -d "/proc/$pid" ] || break
      grep -q '^State:.Z' "/proc/$pid/status" 2>/dev/null && break
      sleep 0.05
    done
  done
}

# try_to_write N: whether a file can be written at a mount, within WRITE_WITHIN seconds.
try_to_write() {
  timeout "$WRITE_WITHIN" dd if=/dev/zero of="$BASE/m$1/.ready$1" bs=4k count=1 conv=fsync && rm "$BASE/m$1/.ready$1"
}

# Mounts so many clients, each by the `start_client N` of its file system.
mount_clients() {
  local count=$1 number
  for number in $(seq "$count"); do
    make_mount_point "$BASE/m$number"
    until_ready "the client of m$number is mounted" start_client "$number"
  done
}

# evict PATH: a file system whose servers remember the dead says here that one is to be forgotten.
evict() { :; }

# Mounts again what was killed, and waits until every mount can be written.
bring_clients_back() {
  local count number
  count=$(mount_count)
  for number in $(seq "$count"); do
    [ -z "$(client_pid "$number")" ] || continue
    evict "$BASE/m$number"
    unmount_client "$BASE/m$number"
    until_ready "the client of m$number is mounted again" start_client "$number"
  done
  for number in $(seq "$count"); do
    until_ready "a file can be written at m$number again" try_to_write "$number"
  done
  write_mounts "$count"
}

write_mounts() {
  local count=$1 number
  : >"$BASE/mounts.new"
  for number in $(seq "$count"); do
    printf '%s %s\n' "$BASE/m$number" "$(client_pid "$number")" >>"$BASE/mounts.new"
  done
  mv "$BASE/mounts.new" "$BASE/mounts"
}

mount_count() { wc -l <"$BASE/mounts"; }

# Ends everything that a directory has, also what a former run left.
stop_all() {
  local path
  # The last mounted first: one may lie upon another.
  while read -r path; do
    umount --lazy "$path" 2>/dev/null || true
  done < <(awk -v base="$BASE/" 'index($2, base) == 1 { print $2 }' /proc/mounts | tac)
  if [ -e "/run/netns/$NETWORK" ]; then
    # shellcheck disable=SC2046 # one word for each process
    end $(ip netns pids "$NETWORK" 2>/dev/null)
    ip netns delete "$NETWORK" 2>/dev/null || rm -f "/run/netns/$NETWORK"
  fi
  rm -rf --one-file-system "$BASE"
}
