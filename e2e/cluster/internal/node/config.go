package node

import (
	"fmt"
	"os"

	"internetdisk.dev/cluster/internal/controlplane"
	"internetdisk.dev/cluster/internal/layout"
	"internetdisk.dev/cluster/internal/pki"
)

// PauseImage is the name of the image that holds a pod's namespaces.
const PauseImage = "cluster.internetdisk.dev/pause:1"

// Configure writes all that a node's programs read.
func Configure(node layout.Node, authority *pki.Authority) error {
	for _, directory := range []string{"cni", "containerd", "kubelet", "cni-cache", "log"} {
		if err := os.MkdirAll(node.Path(directory), 0o755); err != nil {
			return err
		}
	}
	subject := pki.Subject{
		Name: node.Name(), User: "system:node:" + node.Name(), Groups: []string{"system:nodes"},
		Hosts: []string{node.Name()}, IPs: []string{node.IP()},
	}
	if err := authority.Issue(subject); err != nil {
		return err
	}
	cluster := node.Cluster
	kubeconfig := cluster.PKI(node.Name() + ".conf")
	if err := controlplane.WriteKubeconfig(cluster, node.Name(), controlplane.InsideURL(), kubeconfig); err != nil {
		return err
	}
	for name, content := range map[string]string{
		"resolv.conf":            "",
		"containerd.toml":        containerdConfig(node),
		"kubelet.yaml":           kubeletConfig(node),
		"cni/10-bridge.conflist": cniConfig(node),
	} {
		if err := os.WriteFile(node.Path(name), []byte(content), 0o644); err != nil {
			return err
		}
	}
	return controlplane.WriteProxy(cluster, node.Path("proxy.yaml"), node.Name(), node.IP())
}

// containerdConfig keeps the state of running containers in the node's own /run, where it ends with the node as it
// does when a machine is switched off.
func containerdConfig(node layout.Node) string {
	return fmt.Sprintf(`version = 2
root = %q
state = "/run/containerd"
oom_score = 0
disabled_plugins = ["io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.zfs", "io.containerd.snapshotter.v1.devmapper", "io.containerd.tracing.processor.v1.otlp"]
[grpc]
  address = %q
[plugins."io.containerd.internal.v1.opt"]
  path = %q
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = %q
  disable_apparmor = true
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = true
  disable_tcp_service = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = %q
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    discard_unpacked_layers = true
`, node.Path("containerd"), node.ContainerdSocket(), node.Path("opt"), PauseImage, node.Path("cni"))
}

func kubeletConfig(node layout.Node) string {
	cluster := node.Cluster
	return fmt.Sprintf(`apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
containerRuntimeEndpoint: "unix://%s"
cgroupDriver: cgroupfs
cgroupRoot: /%s
failCgroupV1: false
failSwapOn: false
authentication:
  anonymous: {enabled: false}
  webhook: {enabled: true}
  x509: {clientCAFile: %q}
authorization: {mode: Webhook}
tlsCertFile: %q
tlsPrivateKeyFile: %q
resolvConf: %q
clusterDomain: cluster.local
nodeStatusUpdateFrequency: 2s
nodeLeaseDurationSeconds: 10
shutdownGracePeriod: 0s
evictionHard: {memory.available: 100Mi, nodefs.available: "1%%", imagefs.available: "1%%", nodefs.inodesFree: "1%%"}
imageGCHighThresholdPercent: 100
registerNode: true
volumeStatsAggPeriod: 1m
`, node.ContainerdSocket(), node.Pods(), cluster.PKI("ca.crt"),
		cluster.PKI(node.Name()+".crt"), cluster.PKI(node.Name()+".key"), node.Path("resolv.conf"))
}

func cniConfig(node layout.Node) string {
	return fmt.Sprintf(`{
  "cniVersion": "0.4.0",
  "name": "cluster",
  "plugins": [
    {
      "type": "bridge", "bridge": "cni0", "isGateway": true, "ipMasq": false, "hairpinMode": true,
      "ipam": {
        "type": "host-local", "dataDir": "/run/cni-addresses",
        "ranges": [[{"subnet": %q}]], "routes": [{"dst": "0.0.0.0/0"}]
      }
    },
    {"type": "portmap", "capabilities": {"portMappings": true}}
  ]
}
`, node.PodCIDR())
}
