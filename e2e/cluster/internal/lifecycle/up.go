// Package lifecycle starts and ends whole clusters.
package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"golang.org/x/sys/unix"

	"internetdisk.dev/cluster/internal/cgroup"
	"internetdisk.dev/cluster/internal/components"
	"internetdisk.dev/cluster/internal/controlplane"
	"internetdisk.dev/cluster/internal/image"
	"internetdisk.dev/cluster/internal/layout"
	"internetdisk.dev/cluster/internal/network"
	"internetdisk.dev/cluster/internal/node"
	"internetdisk.dev/cluster/internal/pki"
	"internetdisk.dev/cluster/internal/system"
)

// Up starts what does not run of a cluster and waits until all nodes are Ready. It is safe to repeat.
func Up(ctx context.Context, cluster layout.Cluster, asked Settings, progress *Progress) error {
	if err := system.Prepare(progress.Say); err != nil {
		return err
	}
	groups, err := cgroup.Open()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(cluster.State, 0o755); err != nil {
		return err
	}
	unlock, err := lock(cluster)
	if err != nil {
		return err
	}
	defer unlock()
	settings, err := settle(cluster, asked)
	if err != nil {
		return err
	}
	if err := directories(cluster, &settings); err != nil {
		return err
	}
	nodes := settings.NodesOf(cluster)
	if err := configure(cluster, settings, nodes); err != nil {
		return err
	}
	if err := network.Up(cluster, nodes); err != nil {
		return err
	}
	progress.Say("%d nodes have keys and a network", len(nodes))
	return start(ctx, cluster, settings, nodes, groups, progress)
}

func start(
	ctx context.Context, cluster layout.Cluster, settings Settings, nodes []layout.Node, groups cgroup.FS, progress *Progress,
) error {
	ctx, cancel := context.WithTimeout(ctx, settings.Limit)
	defer cancel()
	if err := controlplane.Start(cluster, groups, controlplane.Store(cluster)); err != nil {
		return err
	}
	if err := forwardAPI(cluster, settings, groups); err != nil {
		return err
	}
	api := sync.OnceValue(func() error {
		if err := waitForAPI(ctx, cluster, groups); err != nil {
			return err
		}
		progress.Say("the API server answers at %s", settings.URL())
		return controlplane.Start(cluster, groups, controlplane.Control(cluster))
	})
	results := make(chan error, len(nodes)+1)
	go func() { results <- api() }()
	for _, one := range nodes {
		go func() { results <- node.Start(one, groups, cluster.Path("pause.tar"), api) }()
	}
	var failures error
	for range len(nodes) + 1 {
		failures = errors.Join(failures, <-results)
	}
	if failures != nil {
		return failures
	}
	if err := waitForNodes(ctx, cluster, nodes, progress); err != nil {
		return err
	}
	if err := waitForProxies(ctx, proxies(cluster, nodes), groups, progress); err != nil {
		return err
	}
	progress.Say("all %d nodes are Ready: export KUBECONFIG=%s", len(nodes), cluster.Kubeconfig())
	return nil
}

// directories makes those of the state directory, and those of the machine a node hides behind its own.
func directories(cluster layout.Cluster, settings *Settings) error {
	for _, directory := range node.MountPoints {
		switch err := os.Mkdir(directory, 0o755); {
		case err == nil:
			settings.MadeDirectories = append(settings.MadeDirectories, directory)
		case !os.IsExist(err):
			return err
		}
	}
	// Saved first, so that down knows of everything that follows.
	if err := settings.save(cluster); err != nil {
		return err
	}
	for _, directory := range []string{cluster.Path("bin"), cluster.Path("log"), cluster.Shared()} {
		if err := os.MkdirAll(directory, 0o755); err != nil {
			return err
		}
	}
	return os.Chown(cluster.Shared(), layout.PodUser, layout.PodUser)
}

// configure writes keys, settings of all programs, their names, and the pause image.
func configure(cluster layout.Cluster, settings Settings, nodes []layout.Node) error {
	program, err := os.Executable()
	if err != nil {
		return err
	}
	for _, name := range append(components.Names(), Forwarder) {
		if err := link(program, cluster.Bin(name)); err != nil {
			return err
		}
	}
	authority, err := pki.Open(cluster.Path("pki"))
	if err != nil {
		return fmt.Errorf("keys: %w", err)
	}
	if err := controlplane.Issue(cluster, authority, settings.URL()); err != nil {
		return fmt.Errorf("keys of the control plane: %w", err)
	}
	for _, one := range nodes {
		if err := node.Configure(one, authority); err != nil {
			return fmt.Errorf("settings of %s: %w", one.Name(), err)
		}
	}
	// It speaks of the first node's place, since it has none of its own.
	proxy := cluster.Path("proxy.yaml")
	if err := controlplane.WriteProxy(cluster, proxy, nodes[0].Name(), layout.ControlPlane); err != nil {
		return err
	}
	pause := filepath.Join(filepath.Dir(program), "pause")
	if _, err := os.Stat(pause); err != nil {
		return fmt.Errorf("%w: build it with e2e/cluster/build.sh", err)
	}
	return image.Image{
		Name: node.PauseImage, User: "65535:65535", Entrypoint: []string{"/pause"}, Arch: system.Arch(),
		Files: []image.File{{Target: "/pause", Source: pause}},
	}.WriteFile(cluster.Path("pause.tar"))
}

func link(target, path string) error {
	if existing, err := os.Readlink(path); err == nil && existing == target {
		return nil
	}
	if err := os.Remove(path); err != nil && !os.IsNotExist(err) {
		return err
	}
	return os.Symlink(target, path)
}

// lock keeps two commands from changing one cluster at the same time.
func lock(cluster layout.Cluster) (func(), error) {
	file, err := os.OpenFile(cluster.Path("lock"), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(file.Fd()), unix.LOCK_EX); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return func() { _ = file.Close() }, nil
}
