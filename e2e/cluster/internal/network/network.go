package network

import (
	"errors"
	"fmt"
	"net"
	"os"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"internetdisk.dev/cluster/internal/layout"
)

const (
	bridge = "nodes"
	// cable is the node's end of its cable.
	cable = "eth0"
)

// Up makes what is missing of the wires between the nodes and the control plane.
func Up(cluster layout.Cluster, nodes []layout.Node) error {
	if err := create(cluster.NetNS()); err != nil {
		return err
	}
	if err := In(cluster.NetNS(), controlPlane); err != nil {
		return fmt.Errorf("network of the control plane: %w", err)
	}
	for _, node := range nodes {
		if err := connect(node, nodes); err != nil {
			return fmt.Errorf("network of %s: %w", node.Name(), err)
		}
	}
	return nil
}

func controlPlane() error {
	if err := loopbackUp(); err != nil {
		return err
	}
	attributes := netlink.NewLinkAttrs()
	attributes.Name = bridge
	if err := netlink.LinkAdd(&netlink.Bridge{LinkAttrs: attributes}); err != nil && !errors.Is(err, unix.EEXIST) {
		return err
	}
	if err := configure(bridge, layout.ControlPlane+"/24"); err != nil {
		return err
	}
	// The service proxy gives packets their true destination only after they have been routed.
	link, err := netlink.LinkByName(bridge)
	if err != nil {
		return err
	}
	_, services, err := net.ParseCIDR(layout.ServiceCIDR)
	if err != nil {
		return err
	}
	return netlink.RouteReplace(&netlink.Route{Dst: services, LinkIndex: link.Attrs().Index, Scope: netlink.SCOPE_LINK})
}

func connect(node layout.Node, nodes []layout.Node) error {
	if err := create(node.NetNS()); err != nil {
		return err
	}
	if err := In(node.Cluster.NetNS(), func() error { return plug(node) }); err != nil {
		return err
	}
	return In(node.NetNS(), func() error {
		if err := loopbackUp(); err != nil {
			return err
		}
		if err := configure(cable, node.IP()+"/24"); err != nil {
			return err
		}
		if err := route("0.0.0.0/0", layout.ControlPlane); err != nil {
			return err
		}
		for _, other := range nodes {
			if other.Number == node.Number {
				continue
			}
			if err := route(other.PodCIDR(), other.IP()); err != nil {
				return err
			}
		}
		return os.WriteFile("/proc/sys/net/ipv4/ip_forward", []byte("1"), 0o644)
	})
}

// plug lays the node's cable, seen from the control plane, and routes to its pods.
func plug(node layout.Node) error {
	if _, err := netlink.LinkByName(node.Link()); err != nil {
		namespace, err := openNamespace(node.NetNS())
		if err != nil {
			return err
		}
		defer namespace.Close()
		attributes := netlink.NewLinkAttrs()
		attributes.Name = node.Link()
		pair := &netlink.Veth{
			LinkAttrs: attributes, PeerName: cable, PeerNamespace: netlink.NsFd(int(namespace)),
		}
		if err := netlink.LinkAdd(pair); err != nil {
			return fmt.Errorf("cable: %w", err)
		}
	}
	link, err := netlink.LinkByName(node.Link())
	if err != nil {
		return err
	}
	master, err := netlink.LinkByName(bridge)
	if err != nil {
		return err
	}
	if err := netlink.LinkSetMaster(link, master); err != nil {
		return err
	}
	if err := netlink.LinkSetUp(link); err != nil {
		return err
	}
	return route(node.PodCIDR(), node.IP())
}

// Isolate cuts a node's cable: nothing reaches it and it reaches nothing, silently.
func Isolate(node layout.Node) error { return setCable(node, netlink.LinkSetDown) }

// Heal joins the cable again.
func Heal(node layout.Node) error { return setCable(node, netlink.LinkSetUp) }

func setCable(node layout.Node, set func(netlink.Link) error) error {
	return In(node.Cluster.NetNS(), func() error {
		link, err := netlink.LinkByName(node.Link())
		if err != nil {
			return fmt.Errorf("the cable of %s: %w", node.Name(), err)
		}
		return set(link)
	})
}

// IsIsolated says whether a node's cable is cut.
func IsIsolated(node layout.Node) bool {
	isolated := false
	err := In(node.Cluster.NetNS(), func() error {
		link, err := netlink.LinkByName(node.Link())
		if err == nil {
			isolated = link.Attrs().Flags&net.FlagUp == 0
		}
		return err
	})
	return err == nil && isolated
}

func loopbackUp() error {
	link, err := netlink.LinkByName("lo")
	if err != nil {
		return err
	}
	return netlink.LinkSetUp(link)
}

func configure(name, address string) error {
	link, err := netlink.LinkByName(name)
	if err != nil {
		return err
	}
	parsed, err := netlink.ParseAddr(address)
	if err != nil {
		return err
	}
	if err := netlink.AddrReplace(link, parsed); err != nil {
		return err
	}
	return netlink.LinkSetUp(link)
}

func route(to, by string) error {
	_, destination, err := net.ParseCIDR(to)
	if err != nil {
		return err
	}
	if err := netlink.RouteReplace(&netlink.Route{Dst: destination, Gw: net.ParseIP(by)}); err != nil {
		return fmt.Errorf("route to %s by %s: %w", to, by, err)
	}
	return nil
}
