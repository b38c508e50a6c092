#!/usr/bin/env bash
# What becomes of the chart and of the YAML in the guides at a real API server, on a cluster of its own without images, so no pod
# runs: strict field checks, and install, upgrade, rollback, uninstall, install again with objects that must outlive all of it.
# About half a minute.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly CLUSTER=${CLUSTER:-target/cluster/cluster}
readonly HELM=${HELM:-target/tools/helm}
readonly CHART=charts/internet-disk
readonly NAMESPACE=internetdisk-system
scratch=$(mktemp -d)
readonly scratch
readonly PLACE=(--name chart --state "$scratch/state")

finish() {
  local result=$?
  [ "$result" -eq 0 ] || cat "$scratch/last" >&2
  "$CLUSTER" "${PLACE[@]}" down >/dev/null 2>&1 || true
  rm -rf "$scratch"
  exit "$result"
}
trap finish EXIT

say() { printf '  %s\n' "$*"; }

# What it said is shown when the script ends with an error.
run() { "$@" >"$scratch/last" 2>&1; }

refused() { # WORDS COMMAND…
  local words=$1
  shift
  if run "$@"; then
    echo "this was to be refused: $*" | tee -a "$scratch/last"
    return 1
  fi
  grep -qF -- "$words" "$scratch/last"
}

k() { "$CLUSTER" kubectl "$@"; }
helm() { "$HELM" "$@" --namespace "$NAMESPACE"; }

# uid and generation: an object that was made anew, or whose spec was changed, has others.
objects() {
  k -n disk get diskclusters,members,groups \
    -o jsonpath='{range .items[*]}{.kind}{" "}{.metadata.name}{" "}{.metadata.uid}{" "}{.metadata.generation}{"\n"}{end}'
}

kept() { # WHEN
  objects >"$scratch/last"
  diff "$scratch/before" "$scratch/last" >/dev/null || {
    echo "after $1 the objects are not what they were" >>"$scratch/last"
    return 1
  }
}

# With a definition goes every object of its kind, some moments later.
definitions() {
  k get crd,validatingadmissionpolicy,validatingadmissionpolicybinding -l app.kubernetes.io/part-of=internet-disk \
    -o jsonpath='{range .items[*]}{.kind}{" "}{.metadata.name}{" "}{.metadata.uid}{.metadata.deletionTimestamp}{"\n"}{end}'
}

stay() { # WHEN
  definitions >"$scratch/last"
  diff "$scratch/definitions" "$scratch/last" >/dev/null || {
    echo "after $1 definitions or policies are not what they were, or about to go" >>"$scratch/last"
    return 1
  }
}

strict() { # FILE
  run k apply --server-side --dry-run=server --validate=strict --force-conflicts --field-manager=chart-test -f "$1"
}

# Prometheus' kinds are not there: what else a case renders.
cases() {
  local case
  for case in "$CHART"/tests/cases/*.yaml; do
    "$HELM" template internet-disk "$CHART" --namespace "$NAMESPACE" --kube-version 1.35.0 --values "$case" \
      --api-versions internetdisk.dev/v1alpha1/DiskCluster --set crds.install=false \
      --set monitoring.serviceMonitor.enabled=false --set monitoring.podMonitor.enabled=false \
      --set monitoring.rules.enabled=false >"$scratch/case.yaml"
    strict "$scratch/case.yaml"
  done
}

# Complete objects of kinds that this API server has.
snippets() {
  local page
  for page in docs/guide/*.md README.md; do
    awk '/^```yaml$/ {print "---"; inside = 1; next} /^```$/ {inside = 0} inside' "$page"
  done | awk -v RS='---\n' -v ORS='---\n' '/(^|\n)kind: (Ingress|HorizontalPodAutoscaler|CronJob|Job|DiskCluster|Member|Group)\n/' \
    >"$scratch/snippets.yaml"
  [ "$(grep -c '^kind: ' "$scratch/snippets.yaml")" -ge 3 ]
  strict "$scratch/snippets.yaml"
}

began=$SECONDS
run "$CLUSTER" "${PLACE[@]}" up --nodes 1
KUBECONFIG=$("$CLUSTER" "${PLACE[@]}" kubeconfig)
export KUBECONFIG

run helm install internet-disk "$CHART" --create-namespace
run k wait --for=condition=Established --timeout=60s \
  crd/diskclusters.internetdisk.dev crd/members.internetdisk.dev crd/groups.internetdisk.dev
# The first objects of a kind may come before the API server knows it everywhere.
for _ in $(seq 30); do
  if run k apply --server-side --validate=strict -k examples; then break; fi
  sleep 1
done
objects >"$scratch/before"
[ "$(wc -l <"$scratch/before")" -eq 5 ]
definitions >"$scratch/definitions"
[ "$(wc -l <"$scratch/definitions")" -gt 3 ]
cases
strict deploy/internet-disk.yaml
snippets
say "what the chart renders, the one file and the guides' YAML pass strict field checks"

refused 'still gives storage' k -n disk delete member alice
refused 'field not declared in schema' k apply --server-side --dry-run=server --field-manager=chart-test -f - <<'MISSPELT'
{apiVersion: internetdisk.dev/v1alpha1, kind: Group, metadata: {name: design, namespace: disk}, spec: {joinning: {}}}
MISSPELT

run helm upgrade internet-disk "$CHART" --reset-then-reuse-values --set log.level=debug --set monitoring.dashboard.enabled=true
kept "the upgrade"
stay "the upgrade"
run k -n "$NAMESPACE" get configmap internet-disk-dashboard
run helm rollback internet-disk 1
kept "the rollback"
stay "the rollback"
refused NotFound k -n "$NAMESPACE" get configmap internet-disk-dashboard
run helm uninstall internet-disk --wait
kept "the end of the release"
stay "the end of the release"
left=$(k get deployments,serviceaccounts,services,configmaps,networkpolicies,poddisruptionbudgets,roles,rolebindings,clusterroles,clusterrolebindings \
  -A -l app.kubernetes.io/part-of=internet-disk -o name)
[ -z "$left" ] || { echo "left over: $left" >"$scratch/last"; exit 1; }
run helm install internet-disk "$CHART"
kept "installing again"
stay "installing again"
say "install, upgrade, rollback, uninstall and install again keep $(wc -l <"$scratch/before") objects, and leave nothing else"
refused 'invalid ownership metadata' helm install other "$CHART"
run k apply --server-side --force-conflicts -f deploy/internet-disk.yaml
kept "kubectl after Helm"
printf '  %d s\n' "$((SECONDS - began))"
