// The name lets the test use kind's own parser, which kind keeps to itself. Nothing of this module is published.
module sigs.k8s.io/kind/pkg/internetdisk

go 1.26.8

require sigs.k8s.io/kind v0.33.0

require (
	github.com/pkg/errors v0.9.1 // indirect
	go.yaml.in/yaml/v3 v3.0.4 // indirect
)
