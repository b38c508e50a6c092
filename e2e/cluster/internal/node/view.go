package node

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"

	"internetdisk.dev/cluster/internal/layout"
)

// MountPoints are the directories of the machine a node has its own of. Those the machine lacks are made.
var MountPoints = []string{"/var/lib/kubelet", "/var/lib/cni"}

// view gives the calling thread, which must not be used for anything else afterwards, a node's own view of the
// machine's files. Whatever is mounted in it is gone when the node's last process is.
func view(node layout.Node) error {
	if err := unix.Unshare(unix.CLONE_NEWNS | unix.CLONE_FS); err != nil {
		return fmt.Errorf("mount namespace: %w", err)
	}
	// What the machine mounts later is seen; what the node mounts stays inside. The kubelet hands mounts on to pods
	// only from a shared tree.
	for _, flag := range []uintptr{unix.MS_SLAVE, unix.MS_SHARED} {
		if err := unix.Mount("none", "/", "", unix.MS_REC|flag, ""); err != nil {
			return fmt.Errorf("mount propagation: %w", err)
		}
	}
	if err := unix.Mount("tmpfs", "/run", "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "mode=755,size=256m"); err != nil {
		return fmt.Errorf("/run: %w", err)
	}
	for source, target := range map[string]string{
		node.Path("kubelet"):   "/var/lib/kubelet",
		node.Path("cni-cache"): "/var/lib/cni",
		node.Path("log"):       "/var/log",
	} {
		if err := bind(source, target); err != nil {
			return err
		}
	}
	// A file system of the node's own takes the place of the directory that all nodes see.
	own := node.Path("shared")
	if _, err := os.Stat(own); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return bind(own, node.Cluster.Shared())
}

func bind(source, target string) error {
	if err := unix.Mount(source, target, "", unix.MS_BIND|unix.MS_REC, ""); err != nil {
		return fmt.Errorf("%s at %s: %w", source, target, err)
	}
	return nil
}
