// Package cli is the command line.
package cli

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"internetdisk.dev/cluster/internal/components"
	"internetdisk.dev/cluster/internal/layout"
	"internetdisk.dev/cluster/internal/lifecycle"
)

// options say which cluster is meant.
type options struct {
	name  string
	state string
}

func (o options) cluster() (layout.Cluster, error) {
	state := o.state
	if state == "" {
		beside := "state"
		if o.name != layout.DefaultName {
			beside += "-" + o.name
		}
		program, err := os.Executable()
		if err != nil {
			return layout.Cluster{}, err
		}
		state = filepath.Join(filepath.Dir(program), beside)
	}
	return layout.New(o.name, state)
}

// Main becomes the part of Kubernetes it is called by, or runs a command of its own. It returns the exit code.
func Main(arguments []string) int {
	if code, known := components.Run(filepath.Base(arguments[0]), arguments[1:]); known {
		return code
	}
	if len(arguments) > 1 {
		if arguments[1] == "kubectl" && os.Getenv("KUBECONFIG") == "" {
			useOwnKubeconfig()
		}
		// The parts parse flags by way of os.Args here and there.
		if code, known := runPart(arguments[1:]); known {
			return code
		}
	}
	own := arguments[1:]
	if filepath.Base(arguments[0]) == lifecycle.Forwarder {
		own = append([]string{lifecycle.Forwarder}, own...)
	}
	command := root()
	command.SetArgs(own)
	if err := command.Execute(); err != nil {
		fmt.Fprintln(os.Stderr, "cluster:", err)
		return 1
	}
	return 0
}

func runPart(arguments []string) (int, bool) {
	saved := os.Args
	os.Args = arguments
	code, known := components.Run(arguments[0], arguments[1:])
	os.Args = saved
	return code, known
}

// useOwnKubeconfig makes `cluster kubectl` mean the default cluster.
func useOwnKubeconfig() {
	cluster, err := options{name: layout.DefaultName}.cluster()
	if err != nil {
		return
	}
	if _, err := os.Stat(cluster.Kubeconfig()); err == nil {
		_ = os.Setenv("KUBECONFIG", cluster.Kubeconfig())
	}
}

func root() *cobra.Command {
	chosen := &options{}
	command := &cobra.Command{
		Use:           "cluster",
		Short:         "A real Kubernetes of several nodes on this machine, without a container engine",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	flags := command.PersistentFlags()
	flags.StringVar(&chosen.name, "name", layout.DefaultName, "which cluster, of several on one machine")
	flags.StringVar(&chosen.state, "state", "", "its directory (default: state, beside this program)")
	command.AddCommand(
		upCommand(chosen), downCommand(chosen), statusCommand(chosen), kubeconfigCommand(chosen),
		loadCommand(chosen), imageCommand(), nodeCommand(chosen), execCommand(chosen),
		publishCommand(chosen), forwardCommand(chosen),
	)
	command.CompletionOptions.DisableDefaultCmd = true
	return command
}
