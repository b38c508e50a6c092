#!/usr/bin/env bash
# Tests of the pages: what is generated is up to date, what they speak of is there, and links lead somewhere.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly CONDITIONS=api/src/kubernetes/condition.rs
readonly TROUBLESHOOTING=docs/guide/troubleshooting.md
# Where metrics are described.
mapfile -t METRICS < <(find docs/reference -name metrics.md -o -name monitoring.md | sort)
readonly METRICS
readonly MONITORING=charts/internet-disk/monitoring
failures=0

fail() {
  printf 'FAIL %s\n' "$*" >&2
  failures=$((failures + 1))
}

# Both lists, one word a line, must be the same.
same() { # WHAT HERE THERE
  local word
  while read -r word; do fail "$1: $word is in $4 and not in $5"; done < <(comm -23 "$2" "$3")
  while read -r word; do fail "$1: $word is in $5 and not in $4"; done < <(comm -13 "$2" "$3")
}

drift() {
  local page
  docs/generate.sh "$scratch" || fail "docs/generate.sh"
  for page in docs/reference/custom-resources.md docs/guide/security.md; do
    diff -u "$page" "$scratch/$page" || fail "$page is not what docs/generate.sh writes: run it and look at the difference"
  done
}

# The words of one of the lists in condition.rs.
words() { # NAME
  sed -n "/^    $1 {\$/,/^    }\$/p" "$CONDITIONS" | sed -n 's/^        \([A-Z][A-Za-z]*\),$/\1/p' | sort
}

conditions() {
  words Reason >"$scratch/reasons"
  words ConditionType >"$scratch/types"
  [ "$(wc -l <"$scratch/reasons")" -gt 40 ] || fail "$CONDITIONS has hardly any reasons: does this test still read it?"
  [ "$(wc -l <"$scratch/types")" -gt 10 ] || fail "$CONDITIONS has hardly any types: does this test still read it?"
  sed -n 's/^### \([A-Z][A-Za-z]*\)$/\1/p' "$TROUBLESHOOTING" | sort >"$scratch/headings"
  sed -n 's/^| `\([A-Z][A-Za-z]*\)` | .* | .* |$/\1/p' "$TROUBLESHOOTING" | sort >"$scratch/rows"
  same "reasons of conditions" "$scratch/reasons" "$scratch/headings" "$CONDITIONS" "$TROUBLESHOOTING"
  same "types of conditions" "$scratch/types" "$scratch/rows" "$CONDITIONS" "$TROUBLESHOOTING"
}

runbooks() {
  sed -n 's/^ *- alert: \(.*\)$/\1/p' "$MONITORING/alerts.yaml" | sort >"$scratch/alerts"
  find docs/runbooks -name '*.md' ! -name README.md -printf '%f\n' | sed 's/\.md$//' | sort >"$scratch/runbooks"
  [ -s "$scratch/alerts" ] || fail "$MONITORING/alerts.yaml has no alert"
  same "alerts" "$scratch/alerts" "$scratch/runbooks" "$MONITORING/alerts.yaml" docs/runbooks
}

# What alerts, dashboard and pages ask of Prometheus must be measured by somebody.
metrics() {
  local name
  grep -ohE '"internet_disk_[a-z_]+"' -r operator/src disk-pod/src web-pod/src serve/src --include='*.rs' |
    tr -d '"' | sed -E 's/_(bucket|count|sum)$//' | sort -u >"$scratch/measured"
  grep -ohE 'internet_disk_[a-z_]*[a-z]\b' "$MONITORING"/* docs/runbooks/*.md "${METRICS[@]}" |
    sed -E 's/_(bucket|count|sum)$//' | sort -u >"$scratch/asked"
  while read -r name; do fail "$name is asked for and nobody measures it"; done \
    < <(comm -13 "$scratch/measured" "$scratch/asked")
  grep -ohE '^\| `internet_disk_[a-z_]+`' "${METRICS[@]}" | tr -d '|` ' | sort -u >"$scratch/described"
  while read -r name; do fail "$name is measured and neither of ${METRICS[*]} describes it"; done \
    < <(comm -23 "$scratch/measured" "$scratch/described")
}

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
drift
conditions
runbooks
metrics
node docs/links.mjs || fail "links lead nowhere"
[ "$failures" -eq 0 ] || exit 1
echo "pages: $(wc -l <"$scratch/reasons") reasons, $(wc -l <"$scratch/alerts") alerts" \
  "and $(wc -l <"$scratch/measured") metrics are described, links lead somewhere"
