package cli

import (
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"internetdisk.dev/cluster/internal/lifecycle"
)

func statusCommand(chosen *options) *cobra.Command {
	var asJSON bool
	command := &cobra.Command{
		Use:   "status",
		Short: "Say what runs; fails when something does not",
		Args:  cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			cluster, err := chosen.cluster()
			if err != nil {
				return err
			}
			status, err := lifecycle.Inspect(command.Context(), cluster)
			if err != nil {
				return err
			}
			if asJSON {
				encoder := json.NewEncoder(command.OutOrStdout())
				encoder.SetIndent("", "  ")
				err = encoder.Encode(status)
			} else {
				_, err = fmt.Fprint(command.OutOrStdout(), status)
			}
			if err == nil && !status.Healthy() {
				err = lifecycle.ErrNotHealthy
			}
			return err
		},
	}
	command.Flags().BoolVar(&asJSON, "json", false, "for programs")
	return command
}

func kubeconfigCommand(chosen *options) *cobra.Command {
	return &cobra.Command{
		Use:   "kubeconfig",
		Short: "Print the path of the administrator's kubeconfig",
		Args:  cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			cluster, err := chosen.cluster()
			if err != nil {
				return err
			}
			if _, err := lifecycle.Load(cluster); err != nil {
				return err
			}
			_, err = fmt.Fprintln(command.OutOrStdout(), cluster.Kubeconfig())
			return err
		},
	}
}
