#!/usr/bin/env bash
# The engine on real shared file systems: processes that are killed, the quota race, and the engine's own tests with
# each pod at another mount.
#   run.sh            a part, for `make test`
#   run.sh soak       a thousand kills and a hundred long stops on each
set -euo pipefail
cd "$(dirname "$0")/../.."

readonly MOUNTED_TESTS='test(/^tests::(expiry|files|identity|races|truncated|uploads)::/)'

[ "$(id -u)" -eq 0 ] || {
  echo "The tests of shared file systems mount them, and need root: run them as root." >&2
  exit 1
}

# Of the whole workspace, as the unit tests are: a package alone gets its dependencies with other features, and is built anew.
tests() { # FILTER [OPTION...]
  local filter=$1
  shift
  cargo nextest run --workspace --exclude internet-disk-e2e "$@" -E "package(internet-disk-spaces) and ($filter)"
}

# The engine's own tests, with each pod at another mount.
mounted() {
  local name=$1 base=$PWD/target/filesystems/$1 result=0
  "e2e/filesystems/$name.sh" start "$base" 3
  SPACES_MOUNTS=$(cut -d' ' -f1 "$base/mounts" | paste -sd:) tests "$MOUNTED_TESTS" || result=$?
  "e2e/filesystems/$name.sh" stop "$base"
  return "$result"
}

# Nothing runs beside them: they judge how long somebody waited.
processes() { tests "test(/^tests::processes::/) and test($1)" --run-ignored only --test-threads 1 --no-capture; }

case ${1:-} in
  '')
    mounted moosefs
    mounted cephfs
    processes quota_on
    # Not on MooseFS: through one of its clients a sync sometimes takes two minutes (docs/development/file-systems-tried.md).
    processes '/killed_on_(ext4|cephfs)$/'
    ;;
  soak)
    # Nextest ends what takes three minutes; these take an hour.
    SPACES_ROUNDS=${SPACES_ROUNDS:-50} NEXTEST_PROFILE=soak processes killed_on
    ;;
  *)
    echo "usage: run.sh [soak]" >&2
    exit 1
    ;;
esac
