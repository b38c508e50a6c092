package cli

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"internetdisk.dev/cluster/internal/lifecycle"
)

func publishCommand(chosen *options) *cobra.Command {
	var listen string
	var stop bool
	command := &cobra.Command{
		Use:   "publish (--listen ADDRESS HOST=NAMESPACE/SERVICE:PORT… | --stop)",
		Short: "Show Services of the cluster at an address of this machine, by host name",
		Example: "  cluster publish --listen 127.0.0.1:8080 disk.localhost=disk/demo-web:80 '*.files.localhost=disk/demo-disk-*:80'\n" +
			"  cluster publish --stop",
		RunE: func(command *cobra.Command, arguments []string) error {
			cluster, err := chosen.cluster()
			if err != nil {
				return err
			}
			if stop {
				if command.Flags().Changed("listen") || len(arguments) > 0 {
					return errors.New("--stop ends all that is published: say nothing else with it")
				}
				return lifecycle.StopPublishing(cluster)
			}
			routes, err := parseRoutes(arguments)
			if err != nil {
				return err
			}
			if len(routes) == 0 {
				return errors.New("say which host names lead to which Services: HOST=NAMESPACE/SERVICE:PORT")
			}
			if err := lifecycle.Publish(command.Context(), cluster, listen, routes); err != nil {
				return err
			}
			for _, route := range routes {
				fmt.Fprintf(command.OutOrStdout(), "    http://%s at %s: Service %s\n", route.Host, listen, route.Service)
			}
			return nil
		},
	}
	command.Flags().StringVar(&listen, "listen", "127.0.0.1:8080", "address of this machine")
	command.Flags().BoolVar(&stop, "stop", false, "end all that is published")
	return command
}
