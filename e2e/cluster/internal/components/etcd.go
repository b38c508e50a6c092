package components

import (
	"errors"
	"fmt"
	"net/url"

	"github.com/spf13/cobra"
	"go.etcd.io/etcd/server/v3/embed"
)

// etcdCommand is a single etcd on the loopback of its network namespace.
//
// It does not wait for the disk: killed processes lose nothing that way, since the kernel has what they wrote; a
// machine that loses power loses a throw-away cluster, and gains a faster one and a longer-lived disk meanwhile.
func etcdCommand() *cobra.Command {
	var directory string
	command := &cobra.Command{
		Use:           "etcd",
		Short:         "The store of the API server",
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE: func(*cobra.Command, []string) error {
			config := embed.NewConfig()
			config.Dir = directory
			config.UnsafeNoFsync = true
			client, peer := local("2379"), local("2380")
			config.ListenClientUrls, config.AdvertiseClientUrls = client, client
			config.ListenPeerUrls, config.AdvertisePeerUrls = peer, peer
			config.InitialCluster = config.InitialClusterFromName(config.Name)
			config.LogLevel = "warn"
			config.QuotaBackendBytes = 2 << 30
			config.AutoCompactionMode, config.AutoCompactionRetention = "periodic", "10m"
			server, err := embed.StartEtcd(config)
			if err != nil {
				return fmt.Errorf("etcd in %s: %w", directory, err)
			}
			defer server.Close()
			if err := <-server.Err(); err != nil {
				return err
			}
			return errors.New("etcd has ended")
		},
	}
	command.Flags().StringVar(&directory, "data-dir", "", "where the store is")
	return command
}

func local(port string) []url.URL {
	return []url.URL{{Scheme: "http", Host: "127.0.0.1:" + port}}
}
