#!/usr/bin/env bash
# CephFS: a monitor, a store in memory, a metadata server, and one ceph-fuse for each mount. See place.sh for the
# verbs. The store forgets when it is killed, so the server that is killed is the metadata server.
set -euo pipefail
# shellcheck source=e2e/filesystems/place.sh
source "$(dirname "$0")/place.sh"

readonly ADDRESS=10.77.79.1
readonly STORE_BYTES=$((3 << 30)) # what the store may hold, and so what it may cost of memory
readonly WRITE_WITHIN=20
readonly SOCKETS=/run/$NETWORK
export CEPH_CONF=$BASE/ceph.conf

client_pid() { processes "client.m$1 " | head -n 1; }
ceph() { "${IN[@]}" timeout 30 ceph "$@"; }

configure() {
  cat >"$CEPH_CONF" <<END
[global]
fsid = $(cat /proc/sys/kernel/random/uuid)
mon host = v2:$ADDRESS:3300
mon initial members = a
auth cluster required = none
auth service required = none
auth client required = none
ms bind msgr1 = false
public addr = $ADDRESS
run dir = $BASE/run
pid file = $BASE/run/\$name.pid
# The path of a socket is short, and without one the metadata server answers no question of ours.
admin socket = $SOCKETS/\$name.asok
log file = $BASE/log/\$name.log
crash dir = $BASE/log
keyring = $BASE/keyring
osd pool default size = 1
osd pool default min size = 1
osd crush chooseleaf type = 0
mon allow pool size one = true
mon warn on pool no redundancy = false
mon max pg per osd = 1000
mon osd full ratio = .99
mon data avail crit = 1
mon data avail warn = 2
paxos propose interval = 0.1
[mon]
mon data = $BASE/mon/\$id
[osd]
osd data = $BASE/osd/\$id
osd objectstore = memstore
memstore device bytes = $STORE_BYTES
memstore page set = false
[mds]
mds data = $BASE/mds/\$id
mds cache memory limit = 134217728
# Otherwise what two clients contend for stands still for up to five seconds.
mds tick interval = 0.1
mds reconnect timeout = 10
[client]
fuse default permissions = true
client mount timeout = 60
END
}

start_servers() {
  local id
  : >"$BASE/keyring"
  monmaptool --create --fsid "$(sed -n 's/^fsid = //p' "$CEPH_CONF")" --addv a "[v2:$ADDRESS:3300]" "$BASE/monmap"
  ceph-mon --mkfs -i a --monmap "$BASE/monmap"
  "${IN[@]}" ceph-mon -i a
  ceph config set mon auth_allow_insecure_global_id_reclaim false
  id=$(cat /proc/sys/kernel/random/uuid)
  ceph osd new "$id"
  "${IN[@]}" ceph-osd -i 0 --mkfs --osd-uuid "$id"
  ceph osd crush add osd.0 1.0 host=here root=default
  "${IN[@]}" ceph-osd -i 0
  ceph osd pool create meta 8
  ceph osd pool create data 8
  ceph fs new cephfs meta data
  # The least that there is: until then a client that was killed keeps others from what it wrote.
  ceph fs set cephfs session_timeout 30
  start_metadata_server
}

start_metadata_server() { "${IN[@]}" ceph-mds -i a; }
metadata_server_is_active() { ceph mds stat | grep -q up:active; }

start_client() {
  "${IN[@]}" ceph-fuse -n "client.m$1" --client_mountpoint=/ "$BASE/m$1" >>"$BASE/log/mount$1.log" 2>&1
}

start() {
  local count=${1:-2} number
  need_root
  need_fuse
  need_packages ceph-mon ceph-osd ceph-mds ceph-fuse ceph-common iproute2 fuse3
  stop
  mkdir -p "$SOCKETS" "$BASE"/{mon/a,osd/0,mds/a,run,log}
  make_network "$ADDRESS"
  configure
  start_servers >>"$BASE/log/start.log" 2>&1 || fail "the servers of CephFS do not start; see $BASE/log"
  until_ready "the metadata server is active" metadata_server_is_active
  mount_clients "$count"
  for number in $(seq "$count"); do
    until_ready "a file can be written at m$number" try_to_write "$number"
  done
  write_mounts "$count"
}

# A client that was killed is shut out, as the servers do by themselves some time later.
evict() {
  local session
  for session in $(ceph tell mds.a session ls 2>>"$BASE/log/waiting.log" |
    python3 -c 'import json, sys
for session in json.load(sys.stdin):
    if session["client_metadata"].get("mount_point") == sys.argv[1]: print(session["id"])' "$1"); do
    ceph tell mds.a client evict "id=$session" >>"$BASE/log/waiting.log" 2>&1 || true
  done
}

bring_back() {
  [ -n "$(processes ceph-mds)" ] || until_ready "the metadata server runs again" start_metadata_server
  until_ready "the metadata server is active again" metadata_server_is_active
  bring_clients_back
}

stop() {
  stop_all
  rm -rf "$SOCKETS"
}

case $VERB in
  start) start "${3:-}" ;;
  kill-client) end "$(client_pid "${3:?which mount?}")" ;;
  kill-server) end "$(processes ceph-mds)" ;;
  bring-back) bring_back ;;
  stop) stop ;;
  *) fail "there is no verb $VERB" ;;
esac
