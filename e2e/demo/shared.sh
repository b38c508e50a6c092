# shellcheck shell=bash
# A real shared file system for the embedded cluster: each node has a client of its own, in the place of the directory
# that all nodes have in common, which shares one page cache and hides what matters. Sourced by up.sh and down.sh.

# Mounts made here later, when a client that was killed is brought back, appear in nodes that run already.
readonly SHARED_TREE=$PWD/target/filesystems/shared
readonly CLUSTER_STATE=$PWD/target/cluster/state

# Where the mounts of a file system are: m1 is the first node's.
shared_mounts() { printf '%s/%s' "$SHARED_TREE" "$1"; }

# share_file_system NAME NODES: before the nodes start, for what is mounted now they see at once.
share_file_system() {
  local name=$1 nodes=$2 number mounts
  mounts=$(shared_mounts "$name")
  if [ -f "$mounts/mounts" ] && [ -d "$CLUSTER_STATE/node1" ]; then
    "e2e/filesystems/$name.sh" bring-back "$mounts"
    return
  fi
  [ ! -d "$CLUSTER_STATE" ] || fail "The nodes that are there do not mount $name: make demo-down, then try again"
  mkdir -p "$SHARED_TREE"
  mountpoint -q "$SHARED_TREE" || mount --bind "$SHARED_TREE" "$SHARED_TREE"
  mount --make-shared "$SHARED_TREE"
  "e2e/filesystems/$name.sh" start "$mounts" "$nodes"
  install -d -o 65532 -g 65532 "$mounts/m1/demo"
  # One path on all nodes, as a hostPath has it; behind it is each node's own client.
  for number in $(seq "$nodes"); do
    install -d "$CLUSTER_STATE/node$number/shared"
    ln -s "$mounts/m$number/demo" "$CLUSTER_STATE/node$number/shared/demo"
  done
  say "$name has a client on each of $nodes nodes"
}

# Before the processes of the nodes are ended: what waits for a client can end only once that is gone.
stop_shared_file_systems() {
  local script name
  for script in e2e/filesystems/*.sh; do
    name=$(basename "$script" .sh)
    if [ -d "$(shared_mounts "$name")" ]; then "$script" stop "$(shared_mounts "$name")"; fi
  done
  if mountpoint -q "$SHARED_TREE"; then umount --lazy "$SHARED_TREE"; fi
}
