package node

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	proxyapi "k8s.io/kube-proxy/config/v1alpha1"
	kubeletapi "k8s.io/kubelet/config/v1beta1"
	"sigs.k8s.io/yaml"

	"internetdisk.dev/cluster/internal/controlplane"
	"internetdisk.dev/cluster/internal/layout"
)

func one(t *testing.T) layout.Node {
	t.Helper()
	cluster, err := layout.New("test", t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return cluster.Node(2)
}

// A setting that Kubernetes does not know would be no setting.
func TestSettingsAreKnownToKubernetes(t *testing.T) {
	node := one(t)
	var settings kubeletapi.KubeletConfiguration
	if err := yaml.UnmarshalStrict([]byte(kubeletConfig(node)), &settings); err != nil {
		t.Fatal(err)
	}
	if settings.CgroupRoot != "/"+node.Pods() || settings.ContainerRuntimeEndpoint != "unix://"+node.ContainerdSocket() ||
		settings.EvictionHard["nodefs.available"] != "1%" {
		t.Errorf("%+v", settings)
	}
	path := node.Cluster.Path("proxy.yaml")
	if err := controlplane.WriteProxy(node.Cluster, path, node.Name(), node.IP()); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var service proxyapi.KubeProxyConfiguration
	if err := yaml.UnmarshalStrict(content, &service); err != nil {
		t.Fatal(err)
	}
	if service.HostnameOverride != "node2" || service.Mode != "nftables" {
		t.Errorf("%+v", service)
	}
}

func TestPodsGetAddressesOfTheirNode(t *testing.T) {
	node := one(t)
	var network struct{ Plugins []json.RawMessage }
	if err := json.Unmarshal([]byte(cniConfig(node)), &network); err != nil {
		t.Fatal(err)
	}
	if len(network.Plugins) != 2 || !strings.Contains(string(network.Plugins[0]), node.PodCIDR()) {
		t.Errorf("%s", network.Plugins)
	}
}

func TestRuntimeIsTheNodesOwn(t *testing.T) {
	settings := containerdConfig(one(t))
	for _, other := range []string{"/run/containerd/containerd.sock", "/var/lib/containerd", "/opt/containerd"} {
		if strings.Contains(settings, other) {
			t.Errorf("%s is the machine's", other)
		}
	}
}
