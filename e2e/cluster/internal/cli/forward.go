package cli

import (
	"context"
	"net"
	"os/signal"
	"runtime/debug"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"internetdisk.dev/cluster/internal/lifecycle"
	"internetdisk.dev/cluster/internal/network"
	"internetdisk.dev/cluster/internal/publish"
)

// dialLimit bounds how long a client waits for a server that does not answer.
const dialLimit = 10 * time.Second

// forwardCommand is the process that carries connections; up and publish start it.
func forwardCommand(chosen *options) *cobra.Command {
	var listen, to string
	command := &cobra.Command{
		Use:    lifecycle.Forwarder + " --listen ADDRESS (--to ADDRESS | HOST=NAMESPACE/SERVICE:PORT…)",
		Hidden: true,
		RunE: func(command *cobra.Command, arguments []string) error {
			cluster, err := chosen.cluster()
			if err != nil {
				return err
			}
			listeners, err := publish.Listen(listen)
			if err != nil {
				return err
			}
			ctx, stop := signal.NotifyContext(command.Context(), unix.SIGTERM, unix.SIGINT)
			defer stop()
			dialer := network.NewDialer(cluster.NetNS(), dialLimit)
			handle := publish.Plain(dialer.Dial, to)
			if to == "" {
				routes, err := parseRoutes(arguments)
				if err != nil {
					return err
				}
				client, err := lifecycle.Client(cluster, lifecycle.Watching)
				if err != nil {
					return err
				}
				services := publish.WatchServices(ctx, client)
				handle = publish.ByHost(routes, services.Address, dialer.Dial)
			}
			// Most of what the program's other parts took at its start is never used here.
			debug.FreeOSMemory()
			return serve(ctx, listeners, handle)
		},
	}
	command.Flags().StringVar(&listen, "listen", "", "address of the machine")
	command.Flags().StringVar(&to, "to", "", "address inside the cluster")
	return command
}

func serve(ctx context.Context, listeners []net.Listener, handle func(*net.TCPConn)) error {
	ended := make(chan error, len(listeners))
	for _, listener := range listeners {
		go func() { ended <- publish.Serve(listener, handle) }()
	}
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
		return nil
	}
}

func parseRoutes(arguments []string) ([]publish.Route, error) {
	var routes []publish.Route
	for _, argument := range arguments {
		route, err := publish.ParseRoute(argument)
		if err != nil {
			return nil, err
		}
		routes = append(routes, route)
	}
	return routes, nil
}
