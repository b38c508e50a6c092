// Package layout says where everything of a cluster is: files, names, addresses.
package layout

import (
	"fmt"
	"net/netip"
	"path/filepath"
	"regexp"
	"strings"
)

// The cluster's addresses. Every cluster lives in network namespaces of its own, which no other network reaches, so
// two clusters of one machine may use the same ones.
const (
	ServiceCIDR  = "10.96.0.0/16"
	PodCIDR      = "10.244.0.0/16"
	APIServiceIP = "10.96.0.1"
	ControlPlane = "10.99.0.1"
	APIPort      = 6443
	// DefaultName is the cluster one means who does not name one.
	DefaultName = "default"
	// DefaultNodes is how many nodes a cluster has.
	DefaultNodes = 3
	// MostNodes keeps node addresses within their /24.
	MostNodes = 200
	// DefaultAPIListen is where the first cluster's API server is shown on the machine.
	DefaultAPIListen = "127.0.0.1:16443"
	// PodUser is the uid and gid the shared directory belongs to: the pods of the product run so.
	PodUser = 65532
)

// Cluster is where one cluster is.
type Cluster struct {
	Name  string
	State string
}

var validName = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,18}[a-z0-9])?$`)

// New checks a cluster's name and state directory.
func New(name, state string) (Cluster, error) {
	if !validName.MatchString(name) {
		return Cluster{}, fmt.Errorf("%q is no name for a cluster: use at most 20 of a-z, 0-9 and -", name)
	}
	absolute, err := filepath.Abs(state)
	if err != nil {
		return Cluster{}, fmt.Errorf("state directory %s: %w", state, err)
	}
	// Each node has its own view of these.
	for _, hidden := range []string{"/run", "/var/run", "/var/log", "/var/lib/kubelet", "/var/lib/cni"} {
		if absolute == hidden || strings.HasPrefix(absolute, hidden+"/") {
			return Cluster{}, fmt.Errorf("the state directory must not be under %s: choose another with --state", hidden)
		}
	}
	return Cluster{Name: name, State: absolute}, nil
}

// Path is a file of the state directory.
func (c Cluster) Path(parts ...string) string {
	return filepath.Join(append([]string{c.State}, parts...)...)
}

// Prefix begins the name of everything the cluster has outside its state directory.
func (c Cluster) Prefix() string { return "idc-" + c.Name }

// Bin is where the programs of Kubernetes are, under their own names.
func (c Cluster) Bin(name string) string { return c.Path("bin", name) }

// PKI is a file of keys and certificates.
func (c Cluster) PKI(name string) string { return c.Path("pki", name) }

// Log is the log of one program.
func (c Cluster) Log(name string) string { return c.Path("log", name+".log") }

// Shared is the directory that stands for a shared file system.
func (c Cluster) Shared() string { return c.Path("shared") }

// Kubeconfig is the administrator's, for use on the machine.
func (c Cluster) Kubeconfig() string { return c.Path("kubeconfig") }

// NetNS is the control plane's network namespace.
func (c Cluster) NetNS() string { return c.Prefix() + "-cp" }

// Node is one node's place. Nodes count from 1.
func (c Cluster) Node(number int) Node { return Node{Cluster: c, Number: number} }

// Node is where one node is.
type Node struct {
	Cluster Cluster
	Number  int
}

// Name is the name of the Kubernetes node.
func (n Node) Name() string { return fmt.Sprintf("node%d", n.Number) }

// Path is a file of the node.
func (n Node) Path(parts ...string) string {
	return n.Cluster.Path(append([]string{n.Name()}, parts...)...)
}

// NetNS is the node's network namespace.
func (n Node) NetNS() string { return fmt.Sprintf("%s-n%d", n.Cluster.Prefix(), n.Number) }

// Link is the bridge's end of the node's cable.
func (n Node) Link() string { return fmt.Sprintf("node%d", n.Number) }

// IP is the node's address.
func (n Node) IP() string { return netip.AddrFrom4([4]byte{10, 99, 0, byte(10 + n.Number)}).String() }

// PodCIDR is what the node's pods get addresses from.
func (n Node) PodCIDR() string { return fmt.Sprintf("10.244.%d.0/24", n.Number) }

// ContainerdSocket is where the node's containerd answers.
func (n Node) ContainerdSocket() string { return n.Path("containerd.sock") }

// Agents is the control group of the node's own programs, relative to the root.
func (n Node) Agents() string { return n.Cluster.Prefix() + "/agents-" + n.Name() }

// Pods is the control group of the node's pods, relative to the root.
func (n Node) Pods() string { return n.Cluster.Prefix() + "/" + n.Name() }
