#!/usr/bin/env bash
# test.sh: the tests that need nothing, those of the configuration for kind too.
# test.sh machine: a cluster's whole life on this machine, as root, with the program that build.sh makes.
set -euo pipefail
cd "$(dirname "$0")"

# As build.sh compiles: Kubernetes is not compiled once more.
export CGO_ENABLED=0 GOFLAGS=-trimpath

case ${1:-} in
  machine) go test -vet=all -tags machine -count=1 -v . ;;
  *)
    go test -vet=all ./...
    cd ../kind && go test -vet=all ./...
    ;;
esac
