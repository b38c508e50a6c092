#!/usr/bin/env bash
# Tests of the chart that need no cluster: lint, generated files, refused values, alerts.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly HELM=${HELM:-target/tools/helm}
readonly PROMTOOL=${PROMTOOL:-target/tools/promtool}
readonly CHART=charts/internet-disk
failures=0

fail() {
  printf 'FAIL %s\n' "$*" >&2
  failures=$((failures + 1))
}

lint() {
  local values
  for values in "$CHART"/tests/cases/*.yaml; do
    "$HELM" lint --strict --quiet "$CHART" --kube-version 1.35.0 --values "$values" >"$scratch/lint" 2>&1 ||
      grep -q 'sample.enabled needs the definitions' "$scratch/lint" ||
      fail "helm lint with $values: $(cat "$scratch/lint")"
  done
}

# Generating anew must change nothing.
drift() {
  local path
  charts/generate.sh "$scratch/generated"
  for path in "$CHART/files" "$CHART/tests/snapshots" deploy/internet-disk.yaml; do
    diff -ru "$path" "$scratch/generated/$path" ||
      fail "$path is not what charts/generate.sh writes: run it and look at the difference"
  done
}

# Each file says in its first line what the refusal must contain.
refusals() {
  local values expected versions
  for values in "$CHART"/tests/refused/*.yaml; do
    expected=$(sed -n '1s/^# expect: //p' "$values")
    [ -n "$expected" ] || fail "$values does not begin with '# expect: …'"
    versions=(--api-versions internetdisk.dev/v1alpha1/DiskCluster)
    if grep -qx '# definitions: missing' "$values"; then versions=(); fi
    if "$HELM" template internet-disk "$CHART" --kube-version 1.35.0 "${versions[@]}" \
      --values "$values" >"$scratch/out" 2>&1; then
      fail "$values was accepted"
    elif ! grep -qF -- "$expected" "$scratch/out"; then
      fail "$values was refused, but not with '$expected': $(cat "$scratch/out")"
    fi
  done
}

# Definitions and policies must outlive the release; nothing else may.
keeps() {
  local kept all
  "$HELM" template internet-disk "$CHART" --kube-version 1.35.0 --show-only templates/crds.yaml >"$scratch/definitions"
  all=$(grep -c '^kind: ' "$scratch/definitions")
  kept=$(grep -c '^    helm.sh/resource-policy: keep$' "$scratch/definitions")
  [ "$all" -gt 3 ] || fail "the chart installs only $all definitions and policies"
  [ "$all" -eq "$kept" ] || fail "$((all - kept)) of $all definitions and policies would go with the release"
}

# Each alert has a case in which it fires and one in which it does not; and what the dashboard asks can be asked.
alerts() {
  local alert
  "$PROMTOOL" check rules "$CHART/monitoring/alerts.yaml" >"$scratch/rules" 2>&1 || fail "$(cat "$scratch/rules")"
  "$PROMTOOL" test rules "$CHART/tests/alerts.yaml" >"$scratch/rules" 2>&1 || fail "$(cat "$scratch/rules")"
  while read -r alert; do
    [ "$(grep -c "alertname: $alert\(,\|\$\)" "$CHART/tests/alerts.yaml")" -ge 2 ] ||
      fail "$CHART/tests/alerts.yaml does not try when $alert fires and when it does not"
  done < <(sed -n 's/^ *- alert: //p' "$CHART/monitoring/alerts.yaml")
  node -e '
    const { panels } = JSON.parse(require("fs").readFileSync(0));
    const asked = panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr.replaceAll("$__rate_interval", "5m")));
    const rules = asked.map((expr, at) => ({ record: `dashboard:${at}`, expr }));
    console.log(JSON.stringify({ groups: [{ name: "dashboard", rules }] }));
  ' <"$CHART/monitoring/dashboard.json" >"$scratch/dashboard.json"
  "$PROMTOOL" check rules "$scratch/dashboard.json" >"$scratch/rules" 2>&1 || fail "dashboard: $(cat "$scratch/rules")"
}

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
lint
drift
refusals
keeps
alerts
[ "$failures" -eq 0 ] || exit 1
echo "chart: $(find "$CHART/tests/cases" -name '*.yaml' | wc -l) renderings as expected," \
  "$(find "$CHART/tests/refused" -name '*.yaml' | wc -l) refusals as expected," \
  "$(grep -c '^ *- alert: ' "$CHART/monitoring/alerts.yaml") alerts tried"
