// Command cluster runs a real Kubernetes of several nodes on one machine, without a container engine.
package main

import (
	"os"

	"internetdisk.dev/cluster/internal/cli"
)

func main() {
	os.Exit(cli.Main(os.Args))
}
