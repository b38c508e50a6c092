#!/usr/bin/env bash
# cadaver: cadaver.sh URL NAME PASSWORD. Each step is a command of its own.
set -uo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
cd "$here" || exit
export HOME=$here
echo content >file
if [ -n "$2" ]; then
  printf 'machine 127.0.0.1 login %s password %s\n' "$2" "$3" >.netrc
  chmod 600 .netrc
fi
said=$(printf '%s\n' "mkcol c" "put file c/a" "copy c/a c/b" "move c/b c/d" "lock c/a" "discover c/a" "unlock c/a" \
  "propset c/a colour blue" "propget c/a colour" "get c/d back" "delete c/a" "rmcol c" quit | cadaver "$1" 2>&1)
step() {
  local name=$1 wanted=$2
  if grep -qE "$wanted" <<<"$said"; then echo "$name: ok"; else echo "$name: no \"$wanted\""; fi
}
step mkcol "Creating .c.*succeeded"
step put "Uploading file.*succeeded|100.0%.*succeeded"
step copy "Copying.*succeeded"
step move "Moving.*succeeded"
step lock "Locking.*succeeded"
step unlock "Unlocking.*succeeded"
step properties "Value of colour is: blue"
if cmp -s file back; then echo "get: ok"; else echo "get: another content"; fi
step delete "Deleting .a'.*succeeded|Deleting .c/a'.*succeeded|Deleting.*a.*succeeded"
step rmcol "Deleting collection.*succeeded"
