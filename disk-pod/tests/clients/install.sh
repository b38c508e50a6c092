#!/usr/bin/env bash
# Installs the WebDAV clients that are libraries, each only when it is missing: webdav4 and webdavclient3 of Python,
# webdav of Node. What is a program comes with `e2e/tools.sh`.
set -euo pipefail
cd "$(dirname "$0")/../../.."

readonly WEBDAV4=0.11.0
readonly WEBDAVCLIENT3=3.14.7
readonly WEBDAV=5.11.0
readonly PYTHON=target/tools/webdav-python
readonly NODE=target/tools/webdav-node

wanted="webdav4==$WEBDAV4 webdavclient3==$WEBDAVCLIENT3"
if [ "$(cat "$PYTHON/.installed" 2>/dev/null)" != "$wanted" ]; then
  echo "  installing $wanted"
  python3 -m venv "$PYTHON"
  # shellcheck disable=SC2086 # Two words.
  "$PYTHON/bin/pip" install --quiet --disable-pip-version-check $wanted
  printf '%s' "$wanted" >"$PYTHON/.installed"
fi

wanted="webdav@$WEBDAV"
if [ "$(cat "$NODE/.installed" 2>/dev/null)" != "$wanted" ]; then
  echo "  installing $wanted"
  mkdir -p "$NODE"
  npm install --silent --no-audit --no-fund --no-package-lock --prefix "$NODE" "$wanted"
  printf '%s' "$wanted" >"$NODE/.installed"
fi
