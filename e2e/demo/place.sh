# shellcheck shell=bash
# shellcheck disable=SC2034 # the scripts that source it use its names
# Where the demo runs, and how one speaks to that place. Sourced by the scripts of this directory, at the root of
# the repository.

readonly NAMESPACE=disk
readonly OPERATOR_NAMESPACE=internetdisk-system
readonly WEB_PORT=8080
readonly ENV_FILE=target/demo.env
readonly HELM=target/tools/helm
readonly CLUSTER=target/cluster/cluster
readonly KIND=target/tools/kind
readonly KIND_VERSION=v0.33.0
readonly KIND_NAME=internet-disk
readonly KIND_KUBECONFIG=target/kind.kubeconfig

say() { printf '    %s\n' "$*"; }

fail() {
  printf '%s\n' "$*" >&2
  exit 1
}

# The cluster one is given; else kind, where a container engine answers; else the embedded one. What was chosen
# once stays chosen until the demo is taken down; whoever still names the cluster of an earlier demo means a new one.
choose_place() {
  if [ -n "${DEMO_PLACE:-}" ]; then
    printf '%s' "$DEMO_PLACE"
  elif [ "${KUBECONFIG:-}" = "$PWD/target/cluster/state/kubeconfig" ]; then
    printf embedded
  elif [ "${KUBECONFIG:-}" = "$PWD/$KIND_KUBECONFIG" ]; then
    printf kind
  elif [ -n "${KUBECONFIG:-}" ]; then
    printf given
  elif docker info --format '{{.ServerVersion}}' 2>/dev/null | grep -q .; then
    printf kind
  else
    printf embedded
  fi
}

k() {
  if [ "$PLACE" = embedded ] || ! command -v kubectl >/dev/null; then
    "$CLUSTER" kubectl "$@"
  else
    kubectl "$@"
  fi
}

# What an earlier run wrote down. Whoever now names another cluster means that one.
read_env_file() {
  local name value written
  [ -f "$ENV_FILE" ] || return 0
  written=$(sed -n 's/^KUBECONFIG=//p' "$ENV_FILE")
  [ "${KUBECONFIG:-$written}" = "$written" ] || return 0
  while IFS='=' read -r name value; do
    case $name in
      KUBECONFIG) export KUBECONFIG=$value ;;
      DEMO_PLACE | DEMO_MEMBER | DEMO_PASSWORD | DEMO_FILE_SYSTEM | WEB_URL) printf -v "$name" '%s' "$value" ;;
    esac
  done <"$ENV_FILE"
}
