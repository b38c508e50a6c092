#!/usr/bin/env bash
# The end-to-end tests. A demo that runs is used and left as it is; without one, one is made for them and taken
# down afterwards. What the pods said is kept in target/e2e-logs when a test fails.
#   run.sh [OPTION…]                             all but those that need a real shared file system; options are nextest's
#   DEMO_FILE_SYSTEM=moosefs run.sh [OPTION…]    on the embedded cluster with a client on each node: these, and what else
#                                                one page cache for all nodes could make pass
set -euo pipefail
cd "$(dirname "$0")/.."

readonly LOGS=target/e2e-logs

keep_logs() {
  local namespace pod
  rm -rf "$LOGS"
  mkdir -p "$LOGS"
  k get pods,events,nodes -A -o wide >"$LOGS/cluster.txt"
  k -n "$NAMESPACE" describe diskclusters,members,groups >"$LOGS/objects.txt"
  for namespace in "$NAMESPACE" "$OPERATOR_NAMESPACE"; do
    for pod in $(k -n "$namespace" get pods -o name); do
      k -n "$namespace" logs "$pod" --tail 2000 >"$LOGS/$(basename "$pod").log"
      k -n "$namespace" logs "$pod" --tail 2000 --previous >"$LOGS/$(basename "$pod").before.log" 2>/dev/null ||
        rm -f "$LOGS/$(basename "$pod").before.log"
    done
  done
  printf 'What the pods said is in %s\n' "$LOGS" >&2
}

finish() {
  local result=$?
  # shellcheck source=e2e/demo/place.sh
  if [ "$result" -ne 0 ] && [ -f target/demo.env ]; then
    (
      source e2e/demo/place.sh
      read_env_file
      PLACE=$(choose_place)
      set +e
      keep_logs
    )
  fi
  if [ "$OWN" = yes ]; then e2e/demo/down.sh; fi
  exit "$result"
}

# A real shared file system is mounted by the nodes of the embedded cluster alone; up.sh refuses a demo that has another.
if [ -n "${DEMO_FILE_SYSTEM:-}" ]; then
  unset KUBECONFIG
  export DEMO_PLACE=embedded
  readonly CHOICE='binary(shared_file_system) or binary(quota_race) or binary(failover)'
else
  readonly CHOICE='not binary(shared_file_system)'
fi
if [ -f target/demo.env ]; then OWN=no; else OWN=yes; fi
readonly OWN
trap finish EXIT
e2e/demo/up.sh
# The whole workspace is chosen, and then the package: with a package alone its dependencies would be built with fewer
# features, all anew.
cargo nextest run --workspace -E "package(internet-disk-e2e) and ($CHOICE)" "$@"
