package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"internetdisk.dev/cluster/internal/cgroup"
	"internetdisk.dev/cluster/internal/controlplane"
	"internetdisk.dev/cluster/internal/layout"
	"internetdisk.dev/cluster/internal/network"
	"internetdisk.dev/cluster/internal/node"
	"internetdisk.dev/cluster/internal/process"
)

// ErrNotHealthy means that something of the cluster does not run or is not Ready.
var ErrNotHealthy = errors.New("not all of the cluster works; cluster up starts what is missing")

// Status is what runs of a cluster.
type Status struct {
	Name         string          `json:"name"`
	State        string          `json:"state"`
	Kubeconfig   string          `json:"kubeconfig"`
	Server       string          `json:"server"`
	Shared       string          `json:"shared"`
	ControlPlane map[string]bool `json:"controlPlane"`
	Nodes        []NodeStatus    `json:"nodes"`
}

// NodeStatus is what runs of a node, and what the API server believes of it.
type NodeStatus struct {
	Name     string          `json:"name"`
	IP       string          `json:"ip"`
	Socket   string          `json:"containerd"`
	Programs map[string]bool `json:"programs"`
	Isolated bool            `json:"isolated"`
	Ready    bool            `json:"ready"`
}

// Inspect finds out.
func Inspect(ctx context.Context, cluster layout.Cluster) (Status, error) {
	settings, err := Load(cluster)
	if err != nil {
		return Status{}, err
	}
	groups, err := cgroup.Open()
	if err != nil {
		return Status{}, err
	}
	status := Status{
		Name: cluster.Name, State: cluster.State, Kubeconfig: cluster.Kubeconfig(),
		Server: settings.URL(), Shared: cluster.Shared(),
		ControlPlane: running(groups, append(controlplane.Store(cluster), controlplane.Control(cluster)...)),
	}
	ready := readyNodes(ctx, cluster)
	for _, one := range settings.NodesOf(cluster) {
		status.Nodes = append(status.Nodes, NodeStatus{
			Name: one.Name(), IP: one.IP(), Socket: one.ContainerdSocket(),
			Programs: running(groups, node.Programs(one)),
			Isolated: network.IsIsolated(one), Ready: ready[one.Name()],
		})
	}
	return status, nil
}

func running(groups cgroup.FS, programs []process.Program) map[string]bool {
	found := map[string]bool{}
	for _, program := range programs {
		found[filepath.Base(program.Path)] = process.Running(groups, program)
	}
	return found
}

// readyNodes is empty when the API server does not answer.
func readyNodes(ctx context.Context, cluster layout.Cluster) map[string]bool {
	ready := map[string]bool{}
	client, err := Client(cluster, Asking)
	if err != nil {
		return ready
	}
	list, err := client.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
	if err != nil {
		list = &corev1.NodeList{}
	}
	for i := range list.Items {
		ready[list.Items[i].Name] = Ready(&list.Items[i])
	}
	return ready
}

// Healthy says that everything runs and all nodes are Ready.
func (s Status) Healthy() bool {
	for _, one := range s.Nodes {
		if !one.Ready || one.Isolated || !allRun(one.Programs) {
			return false
		}
	}
	return allRun(s.ControlPlane)
}

func allRun(programs map[string]bool) bool {
	for _, runs := range programs {
		if !runs {
			return false
		}
	}
	return true
}

// String is for people.
func (s Status) String() string {
	var out strings.Builder
	fmt.Fprintf(&out, "cluster     %s\nserver      %s\nkubeconfig  %s\nshared      %s\n",
		s.Name, s.Server, s.Kubeconfig, s.Shared)
	fmt.Fprintf(&out, "%-11s %s\n", "control", words(s.ControlPlane))
	for _, one := range s.Nodes {
		state := "NotReady"
		if one.Ready {
			state = "Ready"
		}
		if one.Isolated {
			state += ", isolated"
		}
		fmt.Fprintf(&out, "%-11s %s, %s; %s\n", one.Name, one.IP, state, words(one.Programs))
	}
	return out.String()
}

// words tells what runs and what does not.
func words(programs map[string]bool) string {
	var missing []string
	for name, runs := range programs {
		if !runs {
			missing = append(missing, name)
		}
	}
	if len(missing) == 0 {
		return "all programs run"
	}
	return "does not run: " + strings.Join(missing, ", ")
}
