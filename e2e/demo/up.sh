#!/usr/bin/env bash
# From nothing to a working internet disk: builds it, finds or makes a cluster, installs it, waits until it works.
# Safe to repeat. It listens to
#   KUBECONFIG          use this cluster; its nodes pull the images from DEMO_REGISTRY
#   DEMO_STORAGE_CLASS  its class for ReadWriteMany volumes (default: the cluster's default class)
#   DEMO_NODES          nodes of the embedded cluster (default 3)
#   DEMO_FILE_SYSTEM    what these mount: moosefs or cephfs, a client on each (default: one directory of this machine)
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=e2e/demo/place.sh
source e2e/demo/place.sh
# shellcheck source=e2e/demo/shared.sh
source e2e/demo/shared.sh

readonly ASKED_FILE_SYSTEM=${DEMO_FILE_SYSTEM:-}
readonly MEMBERS=(alice bob carol)
readonly BEGAN=$SECONDS

step() {
  local title=$1 began=$SECONDS
  shift
  printf '==> %s\n' "$title"
  "$@"
  printf '    %d s\n' "$((SECONDS - began))"
}

answers() {
  local ready
  [ -n "${WEB_URL:-}" ] || return 1
  [ "$PLACE" != embedded ] || [ -x "$CLUSTER" ] || return 1
  ready=$(k --request-timeout=5s -n "$NAMESPACE" get diskcluster demo \
    -o 'jsonpath={.status.conditions[?(@.type=="Ready")].status}' 2>/dev/null) || return 1
  [ "$ready" = True ] && curl --silent --fail --max-time 5 --output /dev/null "$WEB_URL/"
}

install_tools() {
  e2e/tools.sh demo
  if [ "$PLACE" = kind ] && ! [ -x "$KIND" ]; then
    say "building kind $KIND_VERSION"
    GOBIN="$PWD/target/tools" e2e/go.sh install "sigs.k8s.io/kind@$KIND_VERSION"
  fi
}

build_programs() {
  web-pod/ui/build.sh
  cargo build -p internet-disk-operator -p internet-disk-disk-pod -p internet-disk-web-pod
}

build_images() {
  e2e/cluster/build.sh
  e2e/images.sh
}

start_cluster() {
  case $PLACE in
    embedded)
      if [ -n "${DEMO_FILE_SYSTEM:-}" ]; then share_file_system "$DEMO_FILE_SYSTEM" "${DEMO_NODES:-3}"; fi
      "$CLUSTER" up --nodes "${DEMO_NODES:-3}"
      KUBECONFIG=$("$CLUSTER" kubeconfig)
      export KUBECONFIG
      ;;
    kind)
      export KUBECONFIG=$PWD/$KIND_KUBECONFIG
      "$KIND" get clusters 2>/dev/null | grep -qx "$KIND_NAME" || {
        mkdir -p target/kind-shared
        "$KIND" create cluster --name "$KIND_NAME" --config e2e/kind/cluster.yaml --kubeconfig "$KUBECONFIG" --wait 5m
      }
      ;;
    given)
      k version >/dev/null || fail "the cluster of KUBECONFIG does not answer"
      [ -n "${DEMO_REGISTRY:-}" ] || fail \
        "Push the archives of target/images to a registry the nodes can pull from, and say which: DEMO_REGISTRY=registry.example.org/internet-disk"
      ;;
  esac
}

load_images() {
  local archive
  for archive in target/images/*.tar; do
    case $PLACE in
      embedded) "$CLUSTER" load "$archive" ;;
      kind) "$KIND" load image-archive --name "$KIND_NAME" "$archive" ;;
      given) say "the nodes pull $(basename "$archive" .tar) from $DEMO_REGISTRY" ;;
    esac
  done
}

# One directory, seen by every node, stands for a shared file system where none is mounted. The pods run as 65532.
make_storage() {
  local inside
  case $PLACE in
    embedded)
      inside=$PWD/target/cluster/state/shared/demo
      [ -n "${DEMO_FILE_SYSTEM:-}" ] || install -d -o 65532 -g 65532 "$inside"
      ;;
    kind) inside=/shared/demo && docker exec "$KIND_NAME-control-plane" install -d -o 65532 -g 65532 "$inside" ;;
    given) return ;;
  esac
  sed "s|{{path}}|$inside|" e2e/demo/shared-volume.yaml | k apply --server-side -f -
}

install_operator() {
  local image=()
  [ "$PLACE" != given ] || image=(--set "image.registry=$DEMO_REGISTRY")
  k create namespace "$OPERATOR_NAMESPACE" --dry-run=client -o yaml |
    k label --local -f - pod-security.kubernetes.io/enforce=restricted -o yaml | k apply --server-side -f - >/dev/null
  "$HELM" upgrade --install internet-disk charts/internet-disk --namespace "$OPERATOR_NAMESPACE" "${image[@]}" \
    --wait --timeout 5m >/dev/null
  k wait --for=condition=Established --timeout=60s \
    crd/diskclusters.internetdisk.dev crd/members.internetdisk.dev crd/groups.internetdisk.dev >/dev/null
}

# 96 bits from the kernel. A password that is there already stays.
make_password() {
  local member=$1 password
  k -n "$NAMESPACE" get secret "$member-password" >/dev/null 2>&1 && return
  password=$(od -An -N12 -tx1 /dev/urandom | tr -d ' \n')
  k -n "$NAMESPACE" create secret generic "$member-password" --from-literal=password="$password" >/dev/null
}

apply_examples() {
  local member
  k apply --server-side -f examples/namespace.yaml
  for member in "${MEMBERS[@]}"; do make_password "$member"; done
  case $PLACE in
    embedded) k apply --server-side -k e2e/demo/embedded ;;
    *) k kustomize e2e/demo/node-port |
      sed "s|{{storage-class}}|$(storage_class)|" | k apply --server-side -f - ;;
  esac
}

storage_class() {
  if [ "$PLACE" = kind ]; then
    printf shared
  elif [ -n "${DEMO_STORAGE_CLASS:-}" ]; then
    printf '%s' "$DEMO_STORAGE_CLASS"
  else
    k get storageclass -o \
      'jsonpath={.items[?(@.metadata.annotations.storageclass\.kubernetes\.io/is-default-class=="true")].metadata.name}'
  fi
}

wait_until_ready() {
  k -n "$NAMESPACE" wait --for=condition=Ready --timeout=300s diskcluster/demo ||
    { k -n "$NAMESPACE" describe diskcluster demo && k -n "$NAMESPACE" get pods && fail "the disk does not become Ready"; }
  k -n "$NAMESPACE" wait --for=condition=Ready --timeout=120s --all members,groups ||
    { k -n "$NAMESPACE" describe members,groups && fail "not everybody becomes Ready"; }
}

# Browsers take every name under localhost for this machine.
publish() {
  if [ "$PLACE" = embedded ]; then
    "$CLUSTER" publish --listen "127.0.0.1:$WEB_PORT" "disk.localhost=$NAMESPACE/demo-web:80" \
      "*.files.localhost=$NAMESPACE/demo-disk-*:80" "files.localhost=$NAMESPACE/demo-disk:80"
    WEB_URL=http://disk.localhost:$WEB_PORT
  else
    WEB_URL=$(k -n "$NAMESPACE" get diskcluster demo -o 'jsonpath={.status.endpoints[?(@.name=="Web")].url}')
  fi
  for _ in $(seq 60); do
    curl --silent --fail --max-time 5 --output /dev/null "$WEB_URL/" && return
    sleep 0.5
  done
  fail "$WEB_URL does not answer"
}

write_env_file() {
  DEMO_MEMBER=${MEMBERS[0]}
  DEMO_PASSWORD=$(k -n "$NAMESPACE" get secret "$DEMO_MEMBER-password" -o 'jsonpath={.data.password}' | base64 -d)
  (
    umask 077
    printf '%s=%s\n' KUBECONFIG "$KUBECONFIG" WEB_URL "$WEB_URL" DEMO_MEMBER "$DEMO_MEMBER" \
      DEMO_PASSWORD "$DEMO_PASSWORD" DEMO_PLACE "$PLACE" DEMO_FILE_SYSTEM "${DEMO_FILE_SYSTEM:-}" >"$ENV_FILE"
  )
}

report() {
  local kubectl=kubectl
  command -v kubectl >/dev/null || kubectl="$CLUSTER kubectl"
  cat <<EOF

  Open      $WEB_URL
  Sign in   $DEMO_MEMBER / $DEMO_PASSWORD
            (made at random when the demo was set up; it is in Secret $DEMO_MEMBER-password of namespace $NAMESPACE,
             as bob's and carol's are in theirs)
  Look      export KUBECONFIG=$KUBECONFIG
            $kubectl -n $NAMESPACE get diskclusters,members,groups
  Harm      make demo-story
  Remove    make demo-down
EOF
}

main() {
  read_env_file
  PLACE=$(choose_place)
  readonly PLACE
  if [ -n "$ASKED_FILE_SYSTEM" ]; then
    [ "$PLACE" = embedded ] || fail "Only the nodes of the embedded cluster can be given $ASKED_FILE_SYSTEM: DEMO_PLACE=embedded"
    [ ! -f "$ENV_FILE" ] || [ "${DEMO_FILE_SYSTEM:-}" = "$ASKED_FILE_SYSTEM" ] ||
      fail "The demo that is there does not run on $ASKED_FILE_SYSTEM: make demo-down, then try again"
    [ -x "e2e/filesystems/$ASKED_FILE_SYSTEM.sh" ] || fail "There is no file system $ASKED_FILE_SYSTEM in e2e/filesystems"
  fi
  if answers; then
    printf 'The demo runs already; nothing was changed.\n'
    report
    return
  fi
  printf 'The demo runs on: %s\n' "$PLACE"
  mkdir -p target
  step "what is needed for building" install_tools
  step "the three programs" build_programs
  step "images" build_images
  step "a Kubernetes cluster" start_cluster
  step "images onto the nodes" load_images
  step "shared storage" make_storage
  step "the operator" install_operator
  step "a disk, three members, a group" apply_examples
  step "until all are Ready" wait_until_ready
  step "the page at a name of its own" publish
  write_env_file
  printf '==> done in %d s\n' "$((SECONDS - BEGAN))"
  report
}

main
