#!/usr/bin/env bash
# Writes docs/reference/custom-resources.md from crds/. charts/test.sh finds drift.
# generate.sh [DIR]: writes under DIR instead, so that a check can compare.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly HELM=${HELM:-target/tools/helm}
readonly OUT=${1:-.}

[ -x "$HELM" ] || { echo "$HELM is not there: run make tools first" >&2; exit 1; }

# Helm reads YAML and writes JSON, which saves a parser.
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir -p "$scratch/crds-as-json/files" "$scratch/crds-as-json/templates"
cp crds/diskclusters.yaml crds/members.yaml crds/groups.yaml "$scratch/crds-as-json/files/"
printf 'apiVersion: v2\nname: crds-as-json\nversion: 0.0.0\n' >"$scratch/crds-as-json/Chart.yaml"
cat >"$scratch/crds-as-json/templates/all.yaml" <<'TEMPLATE'
{{- range $path, $_ := .Files.Glob "files/*.yaml" }}
---
{{ $.Files.Get $path | fromYaml | toJson }}
{{- end }}
TEMPLATE
"$HELM" template crds-as-json "$scratch/crds-as-json" | sed -n '/^{/p' >"$scratch/crds.ndjson"

mkdir -p "$OUT/docs/reference"
node docs/generate.mjs <"$scratch/crds.ndjson" >"$scratch/page.md"
mv "$scratch/page.md" "$OUT/docs/reference/custom-resources.md"
