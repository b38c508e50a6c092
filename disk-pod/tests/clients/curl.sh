#!/usr/bin/env bash
# curl: curl.sh URL NAME PASSWORD. A file with and without a length, a part of it, conditions.
set -uo pipefail
at=$1curl-steps
user=(); [ -z "$2" ] || user=(-u "$2:$3")
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
head -c 3000000 /dev/urandom >"$here/file"

ask() { curl -sS --max-time 30 "${user[@]}" "$@"; }
status() { ask -o /dev/null -w '%{http_code}' "$@"; }
step() {
  local name=$1 found=$2 wanted=$3
  if [[ "$found" =~ ^($wanted)$ ]]; then echo "$name: ok"; else echo "$name: $found instead of $wanted"; fi
}

step send "$(status -T "$here/file" "$at")" '201'
step replace "$(status -T "$here/file" "$at")" '200|201|204'
step chunks "$(status -H 'Transfer-Encoding: chunked' -T "$here/file" "$at")" '200|201|204'
ask -o "$here/back" "$at"
step fetch "$(cmp "$here/file" "$here/back" 2>&1)" ''
step range "$(ask -r 1000000-1000999 "$at" | cmp - <(tail -c +1000001 "$here/file" | head -c 1000) 2>&1)" ''
tag=$(ask -I "$at" | tr -d '\r' | sed -n 's/^etag: //Ip')
step match "$(status -H "If-Match: $tag" -T "$here/file" "$at")" '200|201|204'
step mismatch "$(status -H 'If-Match: "another"' -T "$here/file" "$at")" '412'
step none "$(status -H 'If-None-Match: *' -T "$here/file" "$at")" '412'
step parent "$(status -T "$here/file" "${1}nothing/file")" '409'
step delete "$(status -X DELETE "$at")" '200|204'
