#!/usr/bin/env bash
# Writes what is derived from the definitions and the chart: the chart's copy of crds/, the one-file
# installation, and the snapshots of the chart's tests. Run it after either changed; tests.sh finds drift.
# generate.sh [DIR]: writes under DIR instead, so that a check can compare.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly HELM=${HELM:-target/tools/helm}
readonly CHART=charts/internet-disk
readonly NAMESPACE=internetdisk-system
readonly OUT=${1:-.}

# Asked before anything is written over.
[ -x "$HELM" ] || { echo "$HELM is not there: run make tools first" >&2; exit 1; }

copy_definitions() {
  mkdir -p "$OUT/$CHART/files"
  rm -f "$OUT/$CHART"/files/*.yaml
  cp crds/*.yaml "$OUT/$CHART/files/"
}

render() { # VALUES
  "$HELM" template internet-disk "$OUT/$CHART" --namespace "$NAMESPACE" --kube-version 1.35.0 \
    --api-versions internetdisk.dev/v1alpha1/DiskCluster --values "$1"
}

# The namespace goes first, and asks for what the pods keep to.
one_file() {
  mkdir -p "$OUT/deploy"
  {
    printf '%s\n' \
      '# Installs the operator of Internet Disk: kubectl apply --server-side -f internet-disk.yaml' \
      '# Generated from charts/internet-disk by charts/generate.sh.' \
      '# The nodes pull from registry.localhost/internet-disk: push the images to a registry of yours, and replace that' \
      '# name here. It is named twice: where the operator comes from, and where it lets disk pods and web pods come from.' \
      'apiVersion: v1' \
      'kind: Namespace' \
      'metadata:' \
      "  name: $NAMESPACE" \
      '  labels:' \
      '    pod-security.kubernetes.io/enforce: restricted'
    render "$CHART/tests/cases/default.yaml" |
      sed -e '/^    helm.sh\/chart:/d' -e 's/^\( *app.kubernetes.io\/managed-by:\) Helm$/\1 kubectl/'
  } >"$OUT/deploy/internet-disk.yaml"
}

# The definitions are in crds/ already; their copies would only make the snapshots hard to read.
snapshots() {
  local case
  mkdir -p "$OUT/$CHART/tests/snapshots"
  for case in "$CHART"/tests/cases/*.yaml; do
    "$HELM" template internet-disk "$OUT/$CHART" --namespace "$NAMESPACE" --kube-version 1.35.0 \
      --api-versions internetdisk.dev/v1alpha1/DiskCluster --values "$case" --set crds.install=false \
      >"$OUT/$CHART/tests/snapshots/$(basename "$case")"
  done
}

# Elsewhere, the chart itself is needed to render it.
if [ "$OUT" != . ]; then
  mkdir -p "$OUT/charts"
  cp -r "$CHART" "$OUT/charts/"
fi
copy_definitions
one_file
snapshots
