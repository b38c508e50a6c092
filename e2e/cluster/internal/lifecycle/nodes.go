package lifecycle

import (
	"errors"
	"fmt"
	"sync"

	"internetdisk.dev/cluster/internal/cgroup"
	"internetdisk.dev/cluster/internal/layout"
	"internetdisk.dev/cluster/internal/network"
	"internetdisk.dev/cluster/internal/node"
)

// Action is what can be done to one node.
type Action int

// The actions.
const (
	Stop Action = iota
	Start
	Isolate
	Heal
)

// String is how the action is called on the command line.
func (a Action) String() string { return [...]string{"stop", "start", "isolate", "heal"}[a] }

// Change does something to one node.
func Change(cluster layout.Cluster, number int, action Action) error {
	settings, err := Load(cluster)
	if err != nil {
		return err
	}
	if number < 1 || number > settings.Nodes {
		return fmt.Errorf("there is no node %d: the cluster has the nodes 1 to %d", number, settings.Nodes)
	}
	groups, err := cgroup.Open()
	if err != nil {
		return err
	}
	one := cluster.Node(number)
	switch action {
	case Stop:
		// First the processes: a cable cut before would hide that they were killed from nobody but the reader.
		return errors.Join(node.Kill(one, groups), network.Isolate(one))
	case Start:
		if err := network.Heal(one); err != nil {
			return err
		}
		return node.Start(one, groups, cluster.Path("pause.tar"), func() error { return nil })
	case Isolate:
		return network.Isolate(one)
	case Heal:
		return network.Heal(one)
	default:
		return fmt.Errorf("a node cannot be made to %v", action)
	}
}

// LoadImages brings OCI archives to all nodes, at the same time.
func LoadImages(cluster layout.Cluster, archives []string) error {
	settings, err := Load(cluster)
	if err != nil {
		return err
	}
	nodes := settings.NodesOf(cluster)
	failures := make([]error, len(nodes))
	var group sync.WaitGroup
	for i, one := range nodes {
		group.Go(func() {
			for _, archive := range archives {
				failures[i] = errors.Join(failures[i], node.Import(one, archive))
			}
		})
	}
	group.Wait()
	return errors.Join(failures...)
}
