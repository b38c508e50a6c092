package lifecycle

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"internetdisk.dev/cluster/internal/cgroup"
	"internetdisk.dev/cluster/internal/layout"
	"internetdisk.dev/cluster/internal/network"
)

// Down ends all processes of a cluster and removes what it has made. It is safe to repeat.
func Down(cluster layout.Cluster, keep bool, progress *Progress) error {
	if os.Geteuid() != 0 {
		return errors.New("only root may end the cluster: run it as root")
	}
	groups, err := cgroup.Open()
	if err != nil {
		return err
	}
	settings, err := Load(cluster)
	if err != nil && !errors.Is(err, ErrNotUp) {
		return err
	}
	if err == nil {
		unlock, err := lock(cluster)
		if err != nil {
			return err
		}
		defer unlock()
	}
	// Mounts need no care of their own: they are in the nodes' mount namespaces and end with their processes.
	if err := groups.Kill(cluster.Prefix()); err != nil {
		return err
	}
	if err := groups.Remove(cluster.Prefix()); err != nil {
		return err
	}
	progress.Say("all processes have ended")
	if err := network.RemoveAll(cluster.Prefix()); err != nil {
		return err
	}
	if err := removeMountPoints(settings.MadeDirectories); err != nil {
		return err
	}
	progress.Say("the networks are gone")
	if keep {
		progress.Say("kept: %s", cluster.State)
		return nil
	}
	return removeState(cluster, progress)
}

// removeMountPoints removes directories of the machine that the cluster made, unless others use them: the kernel
// takes away what another cluster's nodes have mounted on a directory that is removed.
func removeMountPoints(directories []string) error {
	others, err := filepath.Glob(filepath.Join(network.Directory, "idc-*-cp"))
	if err != nil || len(others) > 0 {
		return err
	}
	for _, directory := range append(directories, network.Directory) {
		if err := unix.Rmdir(directory); err != nil && !errors.Is(err, unix.ENOENT) &&
			!errors.Is(err, unix.ENOTEMPTY) && !errors.Is(err, unix.EBUSY) {
			return fmt.Errorf("%s cannot be removed: %w", directory, err)
		}
	}
	return nil
}

// removeState removes the state directory, and never what somebody has mounted in it.
func removeState(cluster layout.Cluster, progress *Progress) error {
	if _, err := os.Stat(cluster.Path("settings.json")); errors.Is(err, fs.ErrNotExist) {
		progress.Say("no cluster's state is in %s", cluster.State)
		return nil
	}
	mounted, err := mountsBelow(cluster.State)
	if err != nil {
		return err
	}
	if len(mounted) > 0 {
		return fmt.Errorf("%s is mounted: unmount it and try again", strings.Join(mounted, ", "))
	}
	if err := os.RemoveAll(cluster.State); err != nil {
		return err
	}
	progress.Say("removed: %s", cluster.State)
	return nil
}

func mountsBelow(directory string) ([]string, error) {
	content, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		return nil, err
	}
	return mountsIn(string(content), directory), nil
}

func mountsIn(mounts, directory string) []string {
	var found []string
	for _, line := range strings.Split(mounts, "\n") {
		fields := strings.Fields(line)
		if len(fields) > 1 && strings.HasPrefix(unescape(fields[1])+"/", directory+"/") {
			found = append(found, unescape(fields[1]))
		}
	}
	return found
}

// unescape reads what the kernel writes for white space and backslashes in the paths of its mount table.
func unescape(path string) string {
	return strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`).Replace(path)
}
