// Package controlplane runs the store, the API server, the controllers and the scheduler, and the service proxy
// through which the machine reaches Services.
package controlplane

import (
	"fmt"
	"os"
	"path/filepath"

	"internetdisk.dev/cluster/internal/cgroup"
	"internetdisk.dev/cluster/internal/kubeconfig"
	"internetdisk.dev/cluster/internal/layout"
	"internetdisk.dev/cluster/internal/network"
	"internetdisk.dev/cluster/internal/pki"
	"internetdisk.dev/cluster/internal/process"
)

// Identities of the control plane, by the name of their files.
var users = []pki.Subject{
	{Name: "admin", User: "admin", Groups: []string{"system:masters"}},
	{Name: "controllers", User: "system:kube-controller-manager"},
	{Name: "scheduler", User: "system:kube-scheduler"},
	{Name: "proxy", User: "system:kube-proxy"},
}

// Issue makes the control plane's keys and kubeconfig files. The administrator's says server, the address at which
// the machine reaches the API server.
func Issue(cluster layout.Cluster, authority *pki.Authority, server string) error {
	apiserver := pki.Subject{
		Name: "apiserver", User: "kube-apiserver",
		Hosts: []string{"kubernetes", "kubernetes.default", "kubernetes.default.svc", "localhost"},
		IPs:   []string{layout.ControlPlane, layout.APIServiceIP, "127.0.0.1", "::1"},
	}
	if err := authority.Issue(apiserver); err != nil {
		return err
	}
	if err := authority.ServiceAccountKey(); err != nil {
		return err
	}
	for _, user := range users {
		if err := authority.Issue(user); err != nil {
			return err
		}
		if err := WriteKubeconfig(cluster, user.Name, InsideURL(), cluster.PKI(user.Name+".conf")); err != nil {
			return err
		}
	}
	return WriteKubeconfig(cluster, "admin", server, cluster.Kubeconfig())
}

// InsideURL is where the API server is for the cluster's own programs.
func InsideURL() string {
	return fmt.Sprintf("https://%s:%d", layout.ControlPlane, layout.APIPort)
}

// WriteKubeconfig writes the kubeconfig of one user.
func WriteKubeconfig(cluster layout.Cluster, user, server, path string) error {
	return kubeconfig.Write(path, cluster.Prefix(), server,
		cluster.PKI("ca.crt"), cluster.PKI(user+".crt"), cluster.PKI(user+".key"))
}

// Store is etcd and the API server: what the rest needs first.
func Store(cluster layout.Cluster) []process.Program {
	return []process.Program{
		program(cluster, "etcd", "--data-dir="+cluster.Path("etcd")),
		program(cluster, "kube-apiserver",
			"--etcd-servers=http://127.0.0.1:2379",
			"--bind-address=0.0.0.0",
			"--advertise-address="+layout.ControlPlane,
			fmt.Sprintf("--secure-port=%d", layout.APIPort),
			"--service-cluster-ip-range="+layout.ServiceCIDR,
			"--client-ca-file="+cluster.PKI("ca.crt"),
			"--tls-cert-file="+cluster.PKI("apiserver.crt"),
			"--tls-private-key-file="+cluster.PKI("apiserver.key"),
			"--kubelet-client-certificate="+cluster.PKI("admin.crt"),
			"--kubelet-client-key="+cluster.PKI("admin.key"),
			"--kubelet-certificate-authority="+cluster.PKI("ca.crt"),
			"--kubelet-preferred-address-types=InternalIP",
			"--service-account-issuer=https://kubernetes.default.svc",
			"--service-account-key-file="+cluster.PKI("sa.pub"),
			"--service-account-signing-key-file="+cluster.PKI("sa.key"),
			"--authorization-mode=Node,RBAC",
			"--enable-admission-plugins=NodeRestriction",
			"--allow-privileged=true",
			"--profiling=false",
		),
	}
}

// Control is what acts on the API server's objects.
func Control(cluster layout.Cluster) []process.Program {
	return []process.Program{
		program(cluster, "kube-controller-manager",
			"--kubeconfig="+cluster.PKI("controllers.conf"),
			"--authentication-kubeconfig="+cluster.PKI("controllers.conf"),
			"--authorization-kubeconfig="+cluster.PKI("controllers.conf"),
			"--service-account-private-key-file="+cluster.PKI("sa.key"),
			"--root-ca-file="+cluster.PKI("ca.crt"),
			"--cluster-signing-cert-file="+cluster.PKI("ca.crt"),
			"--cluster-signing-key-file="+cluster.PKI("ca.key"),
			"--use-service-account-credentials=true",
			"--leader-elect=false",
			// A node counts as lost after 12 s of silence.
			"--node-monitor-grace-period=12s",
			"--node-monitor-period=1s",
			"--profiling=false",
		),
		program(cluster, "kube-scheduler",
			"--kubeconfig="+cluster.PKI("scheduler.conf"),
			"--authentication-kubeconfig="+cluster.PKI("scheduler.conf"),
			"--authorization-kubeconfig="+cluster.PKI("scheduler.conf"),
			"--leader-elect=false",
			"--profiling=false",
		),
		Proxy(cluster),
	}
}

// ProxyHealth is where a service proxy says, inside its network, whether it has followed the API server.
const ProxyHealth = "127.0.0.1:10256"

// Proxy leads the machine's connections to Services to pods.
func Proxy(cluster layout.Cluster) process.Program {
	return program(cluster, "kube-proxy", "--config="+cluster.Path("proxy.yaml"))
}

// Start starts those programs that do not run.
func Start(cluster layout.Cluster, groups cgroup.FS, programs []process.Program) error {
	return network.In(cluster.NetNS(), func() error {
		for _, program := range programs {
			if process.Running(groups, program) {
				continue
			}
			if err := process.Start(groups, program); err != nil {
				return err
			}
		}
		return nil
	})
}

func program(cluster layout.Cluster, name string, arguments ...string) process.Program {
	return process.Program{
		Group:     filepath.Join(cluster.Prefix(), "control-plane", name),
		Path:      cluster.Bin(name),
		Arguments: arguments,
		Log:       cluster.Log(name),
	}
}

// WriteProxy writes the settings of a service proxy. It reaches Services for the programs of one network namespace.
func WriteProxy(cluster layout.Cluster, path, node, address string) error {
	settings := fmt.Sprintf(`apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
clientConnection: {kubeconfig: %q}
clusterCIDR: %s
mode: nftables
nftables: {minSyncPeriod: 100ms}
hostnameOverride: %s
bindAddress: %s
conntrack: {maxPerCore: 0, tcpEstablishedTimeout: 0s, tcpCloseWaitTimeout: 0s}
healthzBindAddress: %s
metricsBindAddress: 127.0.0.1:10249
`, cluster.PKI("proxy.conf"), layout.PodCIDR, node, address, ProxyHealth)
	return os.WriteFile(path, []byte(settings), 0o644)
}
