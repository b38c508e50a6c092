#!/usr/bin/env bash
# Removes all that up.sh made. On a cluster that was there before, that is the disk, the operator, the definitions
# and the claims; the volumes' own reclaim policy decides what becomes of the data.
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=e2e/demo/place.sh
source e2e/demo/place.sh
# shellcheck source=e2e/demo/shared.sh
source e2e/demo/shared.sh

leave_given_cluster() {
  k delete namespace "$NAMESPACE" --ignore-not-found --timeout=5m
  [ -x "$HELM" ] || fail "$HELM is missing: make tools"
  "$HELM" uninstall internet-disk --namespace "$OPERATOR_NAMESPACE" --ignore-not-found --wait
  k delete --ignore-not-found -f charts/internet-disk/files
  k delete namespace "$OPERATOR_NAMESPACE" --ignore-not-found
}

main() {
  read_env_file
  PLACE=$(choose_place)
  readonly PLACE
  case $PLACE in
    embedded)
      stop_shared_file_systems
      if [ -x "$CLUSTER" ]; then
        "$CLUSTER" down
      fi
      rm -rf --one-file-system target/cluster/state
      ;;
    kind)
      if [ -x "$KIND" ]; then "$KIND" delete cluster --name "$KIND_NAME"; fi
      rm -rf target/kind-shared "$KIND_KUBECONFIG"
      ;;
    given)
      leave_given_cluster
      ;;
  esac
  rm -f "$ENV_FILE"
  printf 'The demo is gone.\n'
}

main
