#!/usr/bin/env bash
# Installs what building and testing need, each only when it is missing.
# tools.sh demo: only what building and the demo need.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly NEXTEST=0.9.151
readonly DENY=0.20.2
readonly HELM=v3.22.0
readonly PACKAGES=(
  gcc libc6-dev binutils chromium curl unzip iproute2 iptables nftables conntrack ethtool socat
  containerd runc containernetworking-plugins
  litmus cadaver rclone davfs2 fuse3 git make openssl python3-venv
)

say() { printf '  %s\n' "$*"; }

missing_packages() {
  local package
  for package in "${PACKAGES[@]}"; do
    dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed ||
      printf '%s\n' "$package"
  done
}

install_packages() {
  local missing
  mapfile -t missing < <(missing_packages)
  [ "${#missing[@]}" -eq 0 ] && return
  if [ "$(id -u)" -ne 0 ]; then
    echo "These packages are missing; install them as root and try again: ${missing[*]}" >&2
    exit 1
  fi
  say "installing ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq
  apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

# A tool built without optimisation: it is used more rarely than it is built.
install_cargo_tool() {
  local name=$1 version=$2
  shift 2
  if "$name" --version 2>/dev/null | grep -qF "$version"; then return; fi
  say "building $name $version"
  CARGO_TARGET_DIR=target/tools-build cargo install --quiet --debug --locked "$name" --version "$version" "$@"
}

install_helm() {
  local helm=target/tools/helm
  if [ -x "$helm" ] && "$helm" version --short 2>/dev/null | grep -q .; then return; fi
  say "building helm $HELM"
  GOBIN="$PWD/target/tools" CGO_ENABLED=0 e2e/go.sh install -trimpath "helm.sh/helm/v3/cmd/helm@$HELM"
}

# Prometheus comes with a server that its package would start; only the tool for rules is taken out of it.
install_promtool() {
  local promtool=target/tools/promtool scratch
  if [ -x "$promtool" ] && "$promtool" --version 2>/dev/null | grep -q .; then return; fi
  say "unpacking promtool"
  scratch=$(mktemp -d)
  chmod 755 "$scratch"
  (cd "$scratch" && { apt-get download -qq prometheus || { apt-get update -qq && apt-get download -qq prometheus; }; }) \
    >/dev/null 2>"$scratch/errors" || { cat "$scratch/errors" >&2; rm -rf "$scratch"; return 1; }
  dpkg-deb --fsys-tarfile "$scratch"/prometheus_*.deb | tar -xO ./usr/bin/promtool >"$scratch/promtool"
  install -D -m 755 "$scratch/promtool" "$promtool"
  rm -rf "$scratch"
}

# The OpenID provider that tests of the web pod start.
install_openid_provider() {
  local directory=web-pod/tests/openid
  local lock=$directory/node_modules/.package-lock.json
  [ -f "$lock" ] && [ ! "$directory/package-lock.json" -nt "$lock" ] && return
  say "installing the OpenID provider of the tests"
  npm ci --silent --no-audit --no-fund --prefix "$directory"
  touch "$lock"
}

for program in cargo go node npm; do
  command -v "$program" >/dev/null || {
    echo "$program is missing: install it and try again" >&2
    exit 1
  }
done
install_packages
install_helm
[ "${1:-}" != demo ] || exit 0
install_promtool
install_cargo_tool cargo-nextest "$NEXTEST" --no-default-features --features default-no-update
install_cargo_tool cargo-deny "$DENY"
disk-pod/tests/clients/install.sh
install_openid_provider
