package system

import (
	"slices"
	"testing"
)

func TestMissing(t *testing.T) {
	there := map[string]bool{}
	for _, one := range requirements {
		there[one.path] = true
	}
	exists := func(path string) bool { return there[path] }
	if found := missing(requirements, exists); len(found) > 0 {
		t.Errorf("%v are missing where all is there", found)
	}
	for _, path := range []string{"/usr/bin/containerd", "/usr/bin/ctr", "/usr/sbin/nft"} {
		there[path] = false
	}
	if found := missing(requirements, exists); !slices.Equal(found, []string{"containerd", "nftables"}) {
		t.Errorf("missing: %v", found)
	}
}

func TestLast(t *testing.T) {
	if said := last("Reading\nE: no network\n\n"); said != "E: no network" {
		t.Errorf("%q", said)
	}
}
