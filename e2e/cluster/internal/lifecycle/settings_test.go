package lifecycle

import (
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"internetdisk.dev/cluster/internal/layout"
)

func place(t *testing.T) layout.Cluster {
	t.Helper()
	cluster, err := layout.New("test", t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return cluster
}

func TestSettingsAreKept(t *testing.T) {
	cluster := place(t)
	if _, err := Load(cluster); !errors.Is(err, ErrNotUp) {
		t.Errorf("before there is a cluster: %v", err)
	}
	first, err := settle(cluster, Settings{Nodes: 2, APIListen: "127.0.0.1:7443"})
	if err != nil {
		t.Fatal(err)
	}
	first.MadeDirectories = []string{"/var/lib/cni"}
	if err := first.save(cluster); err != nil {
		t.Fatal(err)
	}
	again, err := settle(cluster, Settings{Nodes: 3})
	if err != nil || again.Nodes != 3 || again.APIListen != "127.0.0.1:7443" ||
		!slices.Equal(again.MadeDirectories, first.MadeDirectories) {
		t.Errorf("%+v, %v", again, err)
	}
	if again.URL() != "https://127.0.0.1:7443" {
		t.Error(again.URL())
	}
	nodes := again.NodesOf(cluster)
	if len(nodes) != 3 || nodes[0].Name() != "node1" {
		t.Errorf("%v", nodes)
	}
}

func TestSettingsRefused(t *testing.T) {
	cluster := place(t)
	if err := (Settings{Nodes: 3, APIListen: "127.0.0.1:7443"}).save(cluster); err != nil {
		t.Fatal(err)
	}
	for nodes, says := range map[int]string{2: "cluster down", 0: "choose 1 to", 201: "choose 1 to"} {
		if _, err := settle(cluster, Settings{Nodes: nodes}); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%d nodes: %v", nodes, err)
		}
	}
	if err := os.WriteFile(cluster.Path("settings.json"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(cluster); err == nil || errors.Is(err, ErrNotUp) || !strings.Contains(err.Error(), "cluster down") {
		t.Errorf("half a file: %v", err)
	}
}

func TestMountsIn(t *testing.T) {
	mounts := "none /srv/state/a tmpfs rw 0 0\nnone /srv/state tmpfs rw 0 0\n" +
		"none /srv/state-2 tmpfs rw 0 0\nnone /srv/state/b\\040c tmpfs rw 0 0\nproc /proc proc rw 0 0\n"
	want := []string{"/srv/state/a", "/srv/state", "/srv/state/b c"}
	if found := mountsIn(mounts, "/srv/state"); !slices.Equal(found, want) {
		t.Errorf("%q", found)
	}
}

func TestStateOfSomethingElseIsLeftAlone(t *testing.T) {
	cluster := place(t)
	file := cluster.Path("letters.txt")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	var said strings.Builder
	if err := removeState(cluster, NewProgress(&said)); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(file); err != nil || !strings.Contains(said.String(), "no cluster's state") {
		t.Errorf("%v; said %q", err, said.String())
	}
}

func TestStatus(t *testing.T) {
	status := Status{
		Name: "test", ControlPlane: map[string]bool{"etcd": true},
		Nodes: []NodeStatus{{Name: "node1", IP: "10.99.0.11", Ready: true, Programs: map[string]bool{"kubelet": true}}},
	}
	if !status.Healthy() || !strings.Contains(status.String(), "Ready; all programs run") {
		t.Errorf("%s", status)
	}
	for name, spoil := range map[string]func(*Status){
		"NotReady":                 func(s *Status) { s.Nodes[0].Ready = false },
		"isolated":                 func(s *Status) { s.Nodes[0].Isolated = true },
		"does not run: etcd":       func(s *Status) { s.ControlPlane["etcd"] = false },
		"does not run: containerd": func(s *Status) { s.Nodes[0].Programs["containerd"] = false },
	} {
		sick := status
		sick.ControlPlane = map[string]bool{"etcd": true}
		sick.Nodes = []NodeStatus{status.Nodes[0]}
		sick.Nodes[0].Programs = map[string]bool{"kubelet": true}
		spoil(&sick)
		if sick.Healthy() || !strings.Contains(sick.String(), name) {
			t.Errorf("%s: %s", name, sick)
		}
	}
}
