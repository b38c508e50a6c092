#!/usr/bin/env bash
# MooseFS 3: a master, a chunkserver, and one client for each mount. See place.sh for the verbs.
set -euo pipefail
# shellcheck source=e2e/filesystems/place.sh
source "$(dirname "$0")/place.sh"

# The chunkserver refuses 127/8.
readonly ADDRESS=10.77.78.1
readonly WRITE_WITHIN=10
readonly MASTER_CHUNKS=9420 MASTER_CLIENTS=9421 CHUNKS=9422
# No cache of a client may answer for the server: what one mount does the other sees at once.
readonly OPTIONS=mfscachemode=NEVER,mfsattrcacheto=0,mfsxattrcacheto=0,mfsentrycacheto=0,mfsdirentrycacheto=0,mfsnegentrycacheto=0,mfssymlinkcacheto=0

client_pid() { processes "mounted on: $BASE/m$1)" | head -n 1; }

configure() {
  mkdir -p "$BASE"/{master,chunkserver,disk}
  cp /var/lib/mfs/metadata.mfs.empty "$BASE/master/metadata.mfs"
  printf '%s\n' "$ADDRESS / rw,alldirs,maproot=0,admin" "$ADDRESS . rw" >"$BASE/exports.cfg"
  : >"$BASE/topology.cfg"
  printf '%s\n' "$BASE/disk" >"$BASE/disks.cfg"
  # A client that died keeps its files open for so long, in seconds. A name is durable when it is acknowledged: by
  # itself the master writes its changelog some time later.
  cat >"$BASE/master.cfg" <<END
WORKING_USER = root
WORKING_GROUP = root
LOCK_MEMORY = 0
DATA_PATH = $BASE/master
EXPORTS_FILENAME = $BASE/exports.cfg
TOPOLOGY_FILENAME = $BASE/topology.cfg
SESSION_SUSTAIN_TIME = 60
CHANGELOG_SAVE_MODE = 2
MATOML_LISTEN_HOST = $ADDRESS
MATOCS_LISTEN_HOST = $ADDRESS
MATOCS_LISTEN_PORT = $MASTER_CHUNKS
MATOCL_LISTEN_HOST = $ADDRESS
MATOCL_LISTEN_PORT = $MASTER_CLIENTS
END
  cat >"$BASE/chunkserver.cfg" <<END
WORKING_USER = root
WORKING_GROUP = root
LOCK_MEMORY = 0
DATA_PATH = $BASE/chunkserver
HDD_CONF_FILENAME = $BASE/disks.cfg
HDD_LEAVE_SPACE_DEFAULT = 256MiB
HDD_FSYNC_BEFORE_CLOSE = 1
MASTER_HOST = $ADDRESS
MASTER_PORT = $MASTER_CHUNKS
MASTER_RECONNECTION_DELAY = 1
CSSERV_LISTEN_HOST = $ADDRESS
CSSERV_LISTEN_PORT = $CHUNKS
END
}

# `-a`: a master that was killed replays its changelog.
start_master() { "${IN[@]}" mfsmaster -a -c "$BASE/master.cfg" start >>"$BASE/log/master.log" 2>&1; }
start_chunkserver() { "${IN[@]}" mfschunkserver -c "$BASE/chunkserver.cfg" start >>"$BASE/log/chunkserver.log" 2>&1; }

start_client() {
  local number=$1
  "${IN[@]}" mfsmount -H "$ADDRESS" -P "$MASTER_CLIENTS" -o "$OPTIONS" "$BASE/m$number" \
    >>"$BASE/log/mount$number.log" 2>&1
}

start() {
  local count=${1:-2}
  need_root
  need_fuse
  need_packages moosefs-master moosefs-chunkserver moosefs-client iproute2 fuse3
  stop_all
  mkdir -p "$BASE/log"
  make_network "$ADDRESS"
  configure
  start_master || fail "mfsmaster does not start; see $BASE/log"
  start_chunkserver || fail "mfschunkserver does not start; see $BASE/log"
  mount_clients "$count"
  # One copy of everything, and what is deleted is gone.
  "${IN[@]}" mfssetgoal -r 1 "$BASE/m1" >>"$BASE/log/settings.log"
  "${IN[@]}" mfssettrashtime -r 0 "$BASE/m1" >>"$BASE/log/settings.log"
  until_ready "a file can be written" try_to_write 1
  write_mounts "$count"
}

bring_back() {
  [ -n "$(processes 'mfsmaster -a')" ] || until_ready "the master runs again" start_master
  [ -n "$(processes mfschunkserver)" ] || until_ready "the chunkserver runs again" start_chunkserver
  bring_clients_back
}

case $VERB in
  start) start "${3:-}" ;;
  kill-client) end "$(client_pid "${3:?which mount?}")" ;;
  kill-server) end "$(processes 'mfsmaster -a')" ;;
  kill-store) end "$(processes mfschunkserver)" ;;
  bring-back) bring_back ;;
  stop) stop_all ;;
  *) fail "there is no verb $VERB" ;;
esac
