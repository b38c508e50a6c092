#!/usr/bin/env bash
# Installs the servers that `make bench` compares ours with, each only when it is missing: two by the system, two with
# the versions below.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly DUFS=0.47.0
readonly COPYPARTY=1.20.26
readonly PACKAGES=(nginx-light libnginx-mod-http-dav-ext apache2 rclone python3-venv util-linux)
readonly TOOLS=$PWD/target/tools

install_packages() {
  local package missing=()
  for package in "${PACKAGES[@]}"; do
    dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || missing+=("$package")
  done
  [ "${#missing[@]}" -eq 0 ] && return
  # With a run level of 1 nothing that is installed is started: it is started here, as it is needed.
  export DEBIAN_FRONTEND=noninteractive RUNLEVEL=1
  apt-get update -qq
  apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

install_packages
if [ "$("$TOOLS/dufs/bin/dufs" --version 2>/dev/null)" != "dufs $DUFS" ]; then
  # As its own releases are built: optimised.
  CARGO_TARGET_DIR=target/tools-build cargo install --quiet --locked --no-default-features --root "$TOOLS/dufs" --version "$DUFS" dufs
fi
if [ ! -x "$TOOLS/copyparty/bin/copyparty" ]; then
  python3 -m venv "$TOOLS/copyparty"
  "$TOOLS/copyparty/bin/pip" install --quiet "copyparty==$COPYPARTY"
fi
