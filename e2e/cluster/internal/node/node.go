// Package node runs a node: containerd, kubelet and kube-proxy, in a network namespace and a view of the machine's
// files of their own.
package node

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"internetdisk.dev/cluster/internal/cgroup"
	"internetdisk.dev/cluster/internal/layout"
	"internetdisk.dev/cluster/internal/network"
	"internetdisk.dev/cluster/internal/process"
)

const containerdLimit = 30 * time.Second

// Containerd is the node's container runtime.
func Containerd(node layout.Node) process.Program {
	return program(node, "/usr/bin/containerd", "--config", node.Path("containerd.toml"))
}

// Kubelet and its service proxy.
func agents(node layout.Node) []process.Program {
	return []process.Program{
		program(node, node.Cluster.Bin("kubelet"),
			"--config="+node.Path("kubelet.yaml"),
			"--kubeconfig="+node.Cluster.PKI(node.Name()+".conf"),
			"--root-dir=/var/lib/kubelet",
			"--cert-dir="+node.Path("certificates"),
			"--hostname-override="+node.Name(),
			"--node-ip="+node.IP(),
		),
		Proxy(node),
	}
}

// Proxy leads connections of the node's pods to Services to other pods.
func Proxy(node layout.Node) process.Program {
	return program(node, node.Cluster.Bin("kube-proxy"), "--config="+node.Path("proxy.yaml"))
}

// Programs are all programs of a node.
func Programs(node layout.Node) []process.Program {
	return append([]process.Program{Containerd(node)}, agents(node)...)
}

func program(node layout.Node, path string, arguments ...string) process.Program {
	name := filepath.Base(path)
	return process.Program{
		Group:     filepath.Join(node.Agents(), name),
		Path:      path,
		Arguments: arguments,
		Log:       node.Path("log", name+".log"),
	}
}

// Running says whether all programs of a node run.
func Running(node layout.Node, groups cgroup.FS) bool {
	for _, program := range Programs(node) {
		if !process.Running(groups, program) {
			return false
		}
	}
	return true
}

// Start starts a node. One of which only a part runs is stopped first: its parts share a view of the files that
// cannot be entered from outside without them.
//
// ready is called between the container runtime and the agents, which need the API server.
func Start(node layout.Node, groups cgroup.FS, pause string, ready func() error) error {
	if Running(node, groups) {
		return nil
	}
	if err := Kill(node, groups); err != nil {
		return err
	}
	if err := groups.MakeForPods(node.Pods()); err != nil {
		return err
	}
	if err := os.Remove(node.ContainerdSocket()); err != nil && !os.IsNotExist(err) {
		return err
	}
	return network.In(node.NetNS(), func() error {
		if err := view(node); err != nil {
			return fmt.Errorf("%s: %w", node.Name(), err)
		}
		if err := process.Start(groups, Containerd(node)); err != nil {
			return err
		}
		if err := waitForSocket(node, groups); err != nil {
			return err
		}
		if err := Import(node, pause); err != nil {
			return err
		}
		if err := ready(); err != nil {
			return err
		}
		for _, program := range agents(node) {
			if err := process.Start(groups, program); err != nil {
				return err
			}
		}
		return nil
	})
}

func waitForSocket(node layout.Node, groups cgroup.FS) error {
	for began := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		if answers(node.ContainerdSocket()) {
			return nil
		}
		if !process.Running(groups, Containerd(node)) || time.Since(began) > containerdLimit {
			return fmt.Errorf("containerd of %s does not answer; see %s", node.Name(), Containerd(node).Log)
		}
	}
}

// Kill ends all processes of a node at once, its containers too, as when it loses power.
func Kill(node layout.Node, groups cgroup.FS) error {
	for _, group := range []string{node.Agents(), node.Pods()} {
		if err := groups.Kill(group); err != nil {
			return err
		}
	}
	return groups.Remove(node.Pods())
}
