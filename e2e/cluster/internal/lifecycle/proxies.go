package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"

	"internetdisk.dev/cluster/internal/cgroup"
	"internetdisk.dev/cluster/internal/controlplane"
	"internetdisk.dev/cluster/internal/layout"
	"internetdisk.dev/cluster/internal/network"
	"internetdisk.dev/cluster/internal/node"
	"internetdisk.dev/cluster/internal/process"
)

// proxy is a service proxy and the network it works in.
type proxy struct {
	of      string
	network string
	program process.Program
}

func proxies(cluster layout.Cluster, nodes []layout.Node) []proxy {
	all := []proxy{{"the control plane", cluster.NetNS(), controlplane.Proxy(cluster)}}
	for _, one := range nodes {
		all = append(all, proxy{one.Name(), one.NetNS(), node.Proxy(one)})
	}
	return all
}

// waitForProxies waits until all service proxies have their first rules. The nodes are Ready without, but no Service
// leads anywhere. One that has ended is started again: nothing else would.
func waitForProxies(ctx context.Context, all []proxy, groups cgroup.FS, progress *Progress) error {
	return until(ctx, "Services lead to their pods", func() (bool, error) {
		for _, one := range all {
			if !process.Running(groups, one.program) {
				progress.Say("the service proxy of %s has ended, and is started again; see %s", one.of, one.program.Log)
				start := func() error { return process.Start(groups, one.program) }
				if err := network.In(one.network, start); err != nil {
					return false, fatal{err}
				}
			}
			if err := one.healthy(ctx); err != nil {
				return false, fmt.Errorf("the service proxy of %s: %w; see %s", one.of, err, one.program.Log)
			}
		}
		return true, nil
	})
}

func (p proxy) healthy(ctx context.Context) error {
	dialer := network.NewDialer(p.network, patience)
	client := http.Client{Timeout: patience, Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, address string) (net.Conn, error) {
			return dialer.Dial(ctx, address)
		},
	}}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+controlplane.ProxyHealth+"/healthz", nil)
	if err != nil {
		return err
	}
	answer, err := client.Do(request)
	if err != nil {
		return err
	}
	if answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("it says %s", answer.Status)
	}
	return errors.Join(err, answer.Body.Close())
}
