package lifecycle

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"time"

	"internetdisk.dev/cluster/internal/layout"
)

// Settings are what one may choose.
type Settings struct {
	Nodes     int
	APIListen string
	Limit     time.Duration `json:"-"`
	// MadeDirectories are those of the machine that were not there before.
	MadeDirectories []string
}

// ErrNotUp means that there is no such cluster.
var ErrNotUp = errors.New("there is no cluster here; start one: cluster up")

// Load reads what the cluster was started with.
func Load(cluster layout.Cluster) (Settings, error) {
	content, err := os.ReadFile(cluster.Path("settings.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return Settings{}, fmt.Errorf("%s: %w", cluster.State, ErrNotUp)
	}
	if err != nil {
		return Settings{}, err
	}
	var settings Settings
	if err := json.Unmarshal(content, &settings); err != nil {
		return Settings{}, fmt.Errorf("%s: %w: remove it with cluster down", cluster.Path("settings.json"), err)
	}
	return settings, nil
}

func (s Settings) save(cluster layout.Cluster) error {
	content, err := json.Marshal(s)
	if err != nil {
		return err
	}
	temporary := cluster.Path("settings.json.new")
	if err := os.WriteFile(temporary, content, 0o644); err != nil {
		return err
	}
	return os.Rename(temporary, cluster.Path("settings.json"))
}

// NodesOf are the nodes of a cluster.
func (s Settings) NodesOf(cluster layout.Cluster) []layout.Node {
	var nodes []layout.Node
	for number := 1; number <= s.Nodes; number++ {
		nodes = append(nodes, cluster.Node(number))
	}
	return nodes
}

// URL is where the machine reaches the API server.
func (s Settings) URL() string { return "https://" + s.APIListen }

// settle joins what is asked for now with what the cluster was started with.
func settle(cluster layout.Cluster, asked Settings) (Settings, error) {
	if asked.Nodes < 1 || asked.Nodes > layout.MostNodes {
		return Settings{}, fmt.Errorf("%d nodes cannot be: choose 1 to %d", asked.Nodes, layout.MostNodes)
	}
	before, err := Load(cluster)
	switch {
	case errors.Is(err, ErrNotUp):
	case err != nil:
		return Settings{}, err
	case asked.Nodes < before.Nodes:
		return Settings{}, fmt.Errorf("the cluster has %d nodes; to have fewer, begin anew: cluster down", before.Nodes)
	default:
		asked.MadeDirectories = before.MadeDirectories
		if asked.APIListen == "" {
			asked.APIListen = before.APIListen
		}
	}
	if asked.APIListen != "" {
		return asked, nil
	}
	asked.APIListen, err = freeListen()
	return asked, err
}

// freeListen is the usual address, or one with another port when another cluster has that.
func freeListen() (string, error) {
	for _, address := range []string{layout.DefaultAPIListen, "127.0.0.1:0"} {
		listener, err := net.Listen("tcp", address)
		if err != nil {
			continue
		}
		return listener.Addr().String(), listener.Close()
	}
	return "", errors.New("no port of 127.0.0.1 is free")
}
