package layout

import (
	"net/netip"
	"testing"
)

func TestNew(t *testing.T) {
	for _, name := range []string{"default", "a", "e2e-1", "a2345678901234567890"} {
		if _, err := New(name, "/srv/state"); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, name := range []string{"", "-a", "a-", "A", "a/b", "a.b", "a23456789012345678901"} {
		if _, err := New(name, "/srv/state"); err == nil {
			t.Errorf("%q is taken for a name", name)
		}
	}
	for _, state := range []string{"/run", "/run/state", "/var/log/../log/state", "/var/lib/kubelet/x"} {
		if _, err := New("a", state); err == nil {
			t.Errorf("a node would hide %s from itself", state)
		}
	}
	if _, err := New("a", "/runs/state"); err != nil {
		t.Error(err)
	}
}

func TestAddressesAreOfTheirNetworks(t *testing.T) {
	cluster, err := New("a", "/srv/state")
	if err != nil {
		t.Fatal(err)
	}
	pods, services := netip.MustParsePrefix(PodCIDR), netip.MustParsePrefix(ServiceCIDR)
	if !services.Contains(netip.MustParseAddr(APIServiceIP)) {
		t.Errorf("%s is not in %s", APIServiceIP, ServiceCIDR)
	}
	seen := map[string]bool{ControlPlane: true}
	for number := 1; number <= MostNodes; number++ {
		node := cluster.Node(number)
		for _, one := range []string{node.IP(), node.PodCIDR(), node.NetNS(), node.Name()} {
			if seen[one] {
				t.Errorf("%s is given twice", one)
			}
			seen[one] = true
		}
		if !pods.Contains(netip.MustParsePrefix(node.PodCIDR()).Addr()) {
			t.Errorf("%s is not in %s", node.PodCIDR(), PodCIDR)
		}
		// The kernel takes 15 bytes for the name of a link.
		if len(node.Link()) > 15 {
			t.Errorf("%s is too long", node.Link())
		}
	}
}
