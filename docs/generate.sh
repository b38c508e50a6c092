#!/usr/bin/env bash
# Writes what pages have from elsewhere: docs/reference/custom-resources.md from crds/, and the table of who reaches whom in
# docs/guide/security.md from the NetworkPolicies of operator and chart. docs/test.sh finds drift.
# generate.sh [DIR]: writes under DIR instead, so that a check can compare.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly HELM=${HELM:-target/tools/helm}
readonly OUT=${1:-.}

[ -x "$HELM" ] || { echo "$HELM is not there: run make tools first" >&2; exit 1; }

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# Helm reads YAML and writes JSON, which saves a parser: one object a line.
as_json() { # FILE…
  local chart=$scratch/as-json
  rm -rf "$chart"
  mkdir -p "$chart/files" "$chart/templates"
  cp "$@" "$chart/files/"
  printf 'apiVersion: v2\nname: as-json\nversion: 0.0.0\n' >"$chart/Chart.yaml"
  cat >"$chart/templates/all.yaml" <<'TEMPLATE'
{{- range $path, $_ := .Files.Glob "files/*.yaml" }}
---
{{ $.Files.Get $path | fromYaml | toJson }}
{{- end }}
TEMPLATE
  "$HELM" template as-json "$chart" | sed -n '/^{/p'
}

custom_resources() {
  mkdir -p "$OUT/docs/reference"
  as_json crds/diskclusters.yaml crds/members.yaml crds/groups.yaml | node docs/generate.mjs >"$scratch/page.md"
  mv "$scratch/page.md" "$OUT/docs/reference/custom-resources.md"
}

# Between the two marks in the page.
flows() {
  local page=docs/guide/security.md
  "$HELM" template internet-disk charts/internet-disk --namespace internetdisk-system --kube-version 1.35.0 \
    --show-only templates/network-policy.yaml >"$scratch/policy.yaml"
  as_json "$scratch/policy.yaml" >"$scratch/chart.json"
  sed '1,/^\[$/{/^\[$/!d}' operator/src/cluster/build/snapshots/*__demo-network-policies.snap >"$scratch/operator.json"
  node docs/flows.mjs "$scratch/chart.json" "$scratch/operator.json" >"$scratch/flows.md"
  mkdir -p "$OUT/docs/guide"
  sed -e '/^<!-- flows: /r '"$scratch/flows.md" -e '/^<!-- flows: /,/^<!-- end of flows -->/{/^<!--/!d}' "$page" >"$scratch/page.md"
  mv "$scratch/page.md" "$OUT/$page"
}

custom_resources
flows
