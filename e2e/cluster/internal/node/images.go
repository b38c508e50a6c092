package node

import (
	"fmt"
	"net"
	"os/exec"
	"strings"

	"internetdisk.dev/cluster/internal/layout"
)

// Import brings an OCI archive into a node's container runtime.
func Import(node layout.Node, archive string) error {
	command := exec.Command("/usr/bin/ctr", "--address", node.ContainerdSocket(), "--namespace", "k8s.io",
		"images", "import", archive)
	if output, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("%s does not take the image %s: %w: %s", node.Name(), archive, err, strings.TrimSpace(string(output)))
	}
	return nil
}

func answers(socket string) bool {
	connection, err := net.Dial("unix", socket)
	if err != nil {
		return false
	}
	return connection.Close() == nil
}
