#!/usr/bin/env bash
# How well servers speak WebDAV: litmus, two libraries of Python, one of Node, cadaver, rclone and curl against the disk
# pod and against what people would use instead. Prints a table; `make compare-webdav` builds and installs what it needs.
# Usage: bench/webdav.sh [SERVER...]
set -euo pipefail
cd "$(dirname "$0")/.."

readonly TOOLS=$PWD/target/tools DISK_POD=$PWD/target/x86_64-unknown-linux-gnu/debug/disk-pod
readonly CLIENTS=$PWD/disk-pod/tests/clients
readonly PORT=18090 SUITES=(basic copymove props locks http) STEPS=(webdav4 webdavclient3 webdav cadaver rclone curl)
readonly SERVERS=(internet-disk apache nginx dufs rclone copyparty)
export PYTHONDONTWRITEBYTECODE=1

scratch=$(mktemp -d)
server=""
finish() {
  [ -z "$server" ] || { kill "$server" && wait "$server" || true; }
  server=""
}
trap 'finish 2>/dev/null; rm -rf "$scratch"' EXIT
chmod 755 "$scratch"

# Starts a server of a new tree: its pid is in `server`, where it is in `url`, and `who` is a name and a password.
start() {
  local name=$1 here=$scratch/$1 tree=$scratch/$1/tree
  mkdir -p "$tree" && chmod 777 "$here" "$tree"
  url=http://127.0.0.1:$PORT/ who=("" "")
  case $name in
  internet-disk)
    mkdir "$here/roster"
    printf 'apiVersion: internetdisk.dev/v1alpha1\nkind: Member\nmetadata: {name: bench}\nspec: {clusterRef: {name: bench}, quota: 10Gi}\n' \
      >"$here/roster/member.yaml"
    echo "bench:bench" >"$here/roster/passwords"
    url=${url%/}/dav/home/ who=(bench bench)
    "$DISK_POD" serve --volume "$tree" --roster "$here/roster" --listen "127.0.0.1:$PORT" \
      --internal-listen "127.0.0.1:$((PORT + 1))" --admin-listen "127.0.0.1:$((PORT + 2))" >"$here/log" 2>&1 &
    ;;
  apache)
    for module in mpm_event authz_core dav dav_fs dav_lock autoindex; do
      echo "LoadModule ${module}_module /usr/lib/apache2/modules/mod_$module.so"
    done >"$here/conf"
    printf '%s\n' "ServerName localhost" "Listen 127.0.0.1:$PORT" "PidFile $here/pid" "ErrorLog $here/error" \
      "User www-data" "Group www-data" "DocumentRoot $tree" "DavLockDB $here/locks" \
      "<Directory $tree>" "Dav On" "Options Indexes" "Require all granted" "</Directory>" >>"$here/conf"
    /usr/sbin/apache2 -f "$here/conf" -DFOREGROUND >"$here/log" 2>&1 &
    ;;
  nginx)
    cat >"$here/conf" <<END
daemon off; user root; worker_processes 1; pid $here/pid; error_log $here/error;
load_module /usr/lib/nginx/modules/ngx_http_dav_ext_module.so;
events {}
http {
  access_log off; client_max_body_size 0; client_body_temp_path $here/temporary; dav_ext_lock_zone zone=locks:10m;
  server {
    listen 127.0.0.1:$PORT; root $tree; autoindex on;
    dav_methods PUT DELETE MKCOL COPY MOVE; dav_ext_methods PROPFIND OPTIONS LOCK UNLOCK; dav_ext_lock zone=locks;
  }
}
END
    /usr/sbin/nginx -c "$here/conf" >"$here/log" 2>&1 &
    ;;
  dufs) "$TOOLS/dufs/bin/dufs" "$tree" -A -b 127.0.0.1 -p "$PORT" >"$here/log" 2>&1 & ;;
  rclone) rclone --config /dev/null serve webdav "$tree" --addr "127.0.0.1:$PORT" >"$here/log" 2>&1 & ;;
  copyparty) "$TOOLS/copyparty/bin/copyparty" -q --daw -i 127.0.0.1 -p "$PORT" -v "$tree::rwmda" >"$here/log" 2>&1 & ;;
  *) echo "there is no $name: choose among ${SERVERS[*]}" >&2 && exit 1 ;;
  esac
  server=$!
  for _ in $(seq 300); do
    curl -s -o /dev/null -u "${who[0]}:${who[1]}" -X PROPFIND -H "Depth: 0" "$url" && return
    kill -0 "$server" 2>/dev/null || break
    sleep 0.1
  done
  echo "$name does not run: $(tail -3 "$here/log")" >&2
  return 1
}

# What a suite of litmus says: how many tests passed of how many, and how many warnings there were.
litmus_suite() {
  local said=$1/litmus-$2
  (cd "$1" && TESTS=$2 timeout 120 litmus --keep-going "$url" "${who[@]}" >"$said" 2>&1) || true
  tr '\r' '\n' <"$said" | awk '
    / pass *$/ { passed++; all++ } / FAIL/ { all++ } / SKIPPED/ { all++ } / WARNING/ { warned++ }
    END { printf "%d/%d%s", passed, all, warned ? " (" warned " w.)" : "" }'
}

# What the steps of a client say: how many went well of how many, and which did not.
steps() {
  local name=$1 said=$2/steps-$1
  case $name in
  webdav) timeout 120 node "$CLIENTS/webdav_steps.mjs" "$url" "${who[@]}" >"$said" 2>&1 || true ;;
  webdav4 | webdavclient3)
    timeout 120 "$TOOLS/webdav-python/bin/python" "$CLIENTS/${name}_steps.py" "$url" "${who[@]}" >"$said" 2>&1 || true
    ;;
  *) timeout 120 "$CLIENTS/$name.sh" "$url" "${who[@]}" >"$said" 2>&1 || true ;;
  esac
  awk -F ': ' '
    /^[a-z]+: / { all++; if ($2 == "ok") passed++; else failed = failed (failed ? ", " : "") $1 }
    END { printf "%d/%d%s", passed, all, failed ? " (" failed ")" : "" }' "$said"
}

chosen=("$@")
[ $# -gt 0 ] || chosen=("${SERVERS[@]}")
declare -A cell
for name in "${chosen[@]}"; do
  echo "$name" >&2
  start "$name" || continue
  for suite in "${SUITES[@]}"; do cell[$name,$suite]=$(litmus_suite "$scratch/$name" "$suite"); done
  for client in "${STEPS[@]}"; do cell[$name,$client]=$(steps "$client" "$scratch/$name"); done
  finish 2>/dev/null
done
[ -z "${KEEP:-}" ] || cp -r "$scratch" "$KEEP"

row() { printf '|%s\n' "$(printf ' %s |' "$@")"; }
row "" "${chosen[@]}"
row $(printf -- '--- %.0s' _ "${chosen[@]}")
for what in "${SUITES[@]}" "${STEPS[@]}"; do
  cells=()
  for name in "${chosen[@]}"; do cells+=("${cell[$name,$what]:-}"); done
  row "$what" "${cells[@]}"
done
