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

func kubelet(node layout.Node) process.Program {
	return program(node, node.Cluster.Bin("kubelet"),
		"--config="+node.Path("kubelet.yaml"),
		"--kubeconfig="+node.Cluster.PKI(node.Name()+".conf"),
		"--root-dir=/var/lib/kubelet",
		"--cert-dir="+node.Path("certificates"),
		"--hostname-override="+node.Name(),
		"--node-ip="+node.IP(),
	)
}

// Proxy leads connections of the node's pods to Services to other pods.
func Proxy(node layout.Node) process.Program {
	return program(node, node.Cluster.Bin("kube-proxy"), "--config="+node.Path("proxy.yaml"))
}

// Programs are all programs of a node.
func Programs(node layout.Node) []process.Program {
	return []process.Program{Containerd(node), kubelet(node), Proxy(node)}
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

// holdsPods says whether the programs run that share the node's view of the files. They cannot be started one by one:
// nothing can enter that view from outside without them.
func holdsPods(node layout.Node, groups cgroup.FS) bool {
	return process.Running(groups, Containerd(node)) && process.Running(groups, kubelet(node))
}

// Start starts a node, or what is missing of it: its service proxy alone, or all of it.
//
// ready is called between the container runtime and the agents, which need the API server.
func Start(node layout.Node, groups cgroup.FS, pause string, ready func() error) error {
	if holdsPods(node, groups) {
		return StartProxy(node, groups)
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
		if err := process.Start(groups, kubelet(node)); err != nil {
			return err
		}
		return process.Start(groups, Proxy(node))
	})
}

// StartProxy starts a node's service proxy where it does not run. It needs the node's network alone.
func StartProxy(node layout.Node, groups cgroup.FS) error {
	if process.Running(groups, Proxy(node)) {
		return nil
	}
	return network.In(node.NetNS(), func() error { return process.Start(groups, Proxy(node)) })
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
