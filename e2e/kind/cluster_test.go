// Package internetdisk tries the configuration for kind, since most machines that run the tests have no container
// engine.
package internetdisk

import (
	"os"
	"strings"
	"testing"

	"sigs.k8s.io/kind/pkg/internal/apis/config"
	"sigs.k8s.io/kind/pkg/internal/apis/config/encoding"
)

func load(t *testing.T) *config.Cluster {
	t.Helper()
	cluster, err := encoding.Load("cluster.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return cluster
}

func TestKindTakesIt(t *testing.T) {
	if err := load(t).Validate(); err != nil {
		t.Error(err)
	}
}

func TestEveryNodeSeesTheSharedDirectory(t *testing.T) {
	cluster := load(t)
	if len(cluster.Nodes) != 3 {
		t.Errorf("%d nodes: a disk survives the loss of any of three", len(cluster.Nodes))
	}
	script, err := os.ReadFile("../demo/up.sh")
	if err != nil {
		t.Fatal(err)
	}
	for _, node := range cluster.Nodes {
		var found bool
		for _, mount := range node.ExtraMounts {
			// The demo makes this directory before the nodes, and puts the volume below the other.
			found = found || strings.Contains(string(script), "mkdir -p "+mount.HostPath+"\n") &&
				strings.Contains(string(script), "inside="+mount.ContainerPath+"/") && !mount.Readonly
		}
		if !found {
			t.Errorf("a %s does not see the directory that up.sh makes", node.Role)
		}
	}
}

// A misspelt name must not go unnoticed, or the tests above prove nothing.
func TestKindIsStrict(t *testing.T) {
	content, err := os.ReadFile("cluster.yaml")
	if err != nil {
		t.Fatal(err)
	}
	misspelt := strings.Replace(string(content), "extraMounts", "extraMount", 1)
	if _, err := encoding.Parse([]byte(misspelt)); err == nil {
		t.Error("extraMount is taken")
	}
}
