package cli

import (
	"fmt"
	"os"
	"os/exec"
	"syscall"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"internetdisk.dev/cluster/internal/cgroup"
	"internetdisk.dev/cluster/internal/network"
	"internetdisk.dev/cluster/internal/node"
	"internetdisk.dev/cluster/internal/process"
)

func execCommand(chosen *options) *cobra.Command {
	var number int
	command := &cobra.Command{
		Use:   "exec [--node N] -- COMMAND…",
		Short: "Run a command in the control plane's network, or in a node's network and view of the files",
		Args:  cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, arguments []string) error {
			cluster, err := chosen.cluster()
			if err != nil {
				return err
			}
			path, err := exec.LookPath(arguments[0])
			if err != nil {
				return err
			}
			become := func() error { return syscall.Exec(path, arguments, os.Environ()) }
			if number == 0 {
				return network.In(cluster.NetNS(), become)
			}
			one := cluster.Node(number)
			pid, err := runtimeOf(node.Containerd(one))
			if err != nil {
				return fmt.Errorf("%s: %w", one.Name(), err)
			}
			return network.In(one.NetNS(), func() error {
				if err := enterFiles(pid); err != nil {
					return err
				}
				return become()
			})
		},
	}
	command.Flags().IntVar(&number, "node", 0, "number of the node")
	return command
}

func runtimeOf(containerd process.Program) (int, error) {
	groups, err := cgroup.Open()
	if err != nil {
		return 0, err
	}
	pids, err := groups.Processes(containerd.Group)
	if err != nil {
		return 0, err
	}
	if len(pids) == 0 {
		return 0, fmt.Errorf("it does not run: cluster up")
	}
	return pids[0], nil
}

// enterFiles takes the calling thread, which may not be used for anything else, into a process's view of the files.
func enterFiles(pid int) error {
	view, err := os.Open(fmt.Sprintf("/proc/%d/ns/mnt", pid))
	if err != nil {
		return err
	}
	defer view.Close()
	if err := unix.Unshare(unix.CLONE_FS); err != nil {
		return err
	}
	return unix.Setns(int(view.Fd()), unix.CLONE_NEWNS)
}
