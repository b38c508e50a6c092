package cli

import (
	"time"

	"github.com/spf13/cobra"

	"internetdisk.dev/cluster/internal/layout"
	"internetdisk.dev/cluster/internal/lifecycle"
)

func upCommand(chosen *options) *cobra.Command {
	settings := lifecycle.Settings{}
	command := &cobra.Command{
		Use:   "up",
		Short: "Start the cluster, or what is missing of it, and wait until all nodes are Ready",
		Args:  cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			cluster, err := chosen.cluster()
			if err != nil {
				return err
			}
			return lifecycle.Up(command.Context(), cluster, settings, lifecycle.NewProgress(command.OutOrStdout()))
		},
	}
	flags := command.Flags()
	flags.IntVar(&settings.Nodes, "nodes", layout.DefaultNodes, "how many nodes")
	flags.StringVar(&settings.APIListen, "api-listen", "", "address of this machine for the API server (default: "+
		layout.DefaultAPIListen+", or a free port where that is taken)")
	flags.DurationVar(&settings.Limit, "timeout", 3*time.Minute, "how long to wait for the nodes")
	return command
}

func downCommand(chosen *options) *cobra.Command {
	var keep bool
	command := &cobra.Command{
		Use:   "down",
		Short: "End the cluster and remove all of it",
		Args:  cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			cluster, err := chosen.cluster()
			if err != nil {
				return err
			}
			return lifecycle.Down(cluster, keep, lifecycle.NewProgress(command.OutOrStdout()))
		},
	}
	command.Flags().BoolVar(&keep, "keep", false, "keep the state directory: the next up goes on from there")
	return command
}
