package lifecycle

import (
	"context"
	"fmt"
	"net"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"

	"internetdisk.dev/cluster/internal/cgroup"
	"internetdisk.dev/cluster/internal/controlplane"
	"internetdisk.dev/cluster/internal/layout"
	"internetdisk.dev/cluster/internal/network"
	"internetdisk.dev/cluster/internal/process"
)

const (
	step = 100 * time.Millisecond
	// patience is how long one request may take.
	patience = 2 * time.Second
)

// Use is what a client is for.
type Use int

// The uses.
const (
	// Asking has a limit on each request.
	Asking Use = iota
	// Watching keeps requests open.
	Watching
)

// Client speaks to the API server from within the control plane's network.
func Client(cluster layout.Cluster, use Use) (kubernetes.Interface, error) {
	config, err := clientcmd.BuildConfigFromFlags("", cluster.PKI("admin.conf"))
	if err != nil {
		return nil, err
	}
	dialer := network.NewDialer(cluster.NetNS(), patience)
	config.Dial = func(ctx context.Context, kind, address string) (net.Conn, error) {
		return dialer.Dial(ctx, address)
	}
	if use == Asking {
		config.Timeout = patience
	}
	config.QPS = -1
	return kubernetes.NewForConfig(config)
}

func waitForAPI(ctx context.Context, cluster layout.Cluster, groups cgroup.FS) error {
	client, err := Client(cluster, Asking)
	if err != nil {
		return err
	}
	return until(ctx, "the API server is ready", func() (bool, error) {
		for _, program := range controlplane.Store(cluster) {
			if !process.Running(groups, program) {
				return false, fatal{fmt.Errorf("%s has ended; see %s", program.Group, program.Log)}
			}
		}
		_, err := client.Discovery().RESTClient().Get().AbsPath("/readyz").DoRaw(ctx)
		return err == nil, err
	})
}

func waitForNodes(ctx context.Context, cluster layout.Cluster, nodes []layout.Node, progress *Progress) error {
	client, err := Client(cluster, Asking)
	if err != nil {
		return err
	}
	told := map[string]bool{}
	return until(ctx, "all nodes are Ready", func() (bool, error) {
		for _, one := range nodes {
			found, err := client.CoreV1().Nodes().Get(ctx, one.Name(), metav1.GetOptions{})
			if err != nil {
				return false, err
			}
			if !Ready(found) {
				return false, fmt.Errorf("%s is not Ready: %s", one.Name(), reason(found))
			}
			if !told[one.Name()] {
				told[one.Name()] = true
				progress.Say("%s is Ready", one.Name())
			}
		}
		return true, nil
	})
}

// Ready says what the node's condition of that name says.
func Ready(node *corev1.Node) bool {
	for _, condition := range node.Status.Conditions {
		if condition.Type == corev1.NodeReady {
			return condition.Status == corev1.ConditionTrue
		}
	}
	return false
}

func reason(node *corev1.Node) string {
	for _, condition := range node.Status.Conditions {
		if condition.Type == corev1.NodeReady {
			return condition.Message
		}
	}
	return "its kubelet has not said anything yet"
}

// fatal ends waiting at once.
type fatal struct{ error }

func until(ctx context.Context, what string, ask func() (bool, error)) error {
	ticker := time.NewTicker(step)
	defer ticker.Stop()
	for {
		done, err := ask()
		if done {
			return nil
		}
		if stop, ok := err.(fatal); ok {
			return stop.error
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waited in vain until %s: %w", what, err)
		case <-ticker.C:
		}
	}
}
