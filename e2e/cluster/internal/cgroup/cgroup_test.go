package cgroup

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const (
	version1 = `cgroup /sys/fs/cgroup/cpu,cpuacct cgroup rw,cpu,cpuacct 0 0
cgroup /sys/fs/cgroup/cpuset cgroup rw,cpuset 0 0
cgroup /sys/fs/cgroup/memory cgroup rw,memory 0 0
cgroup /sys/fs/cgroup/pids cgroup rw,pids 0 0`
	version2 = `cgroup2 /sys/fs/cgroup cgroup2 rw,nsdelegate 0 0`
	beside   = `cgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0`
)

func TestParse(t *testing.T) {
	for name, one := range map[string]struct {
		mounts   string
		tracking string
		roots    int
		unified  bool
	}{
		"version 1":          {version1, "/sys/fs/cgroup/pids", 4, false},
		"version 2":          {version2, "/sys/fs/cgroup", 1, true},
		"both, side by side": {version1 + "\n" + beside, "/sys/fs/cgroup/pids", 4, false},
	} {
		found, err := parse(strings.Split("proc /proc proc rw 0 0\n"+one.mounts+"\n", "\n"))
		if err != nil || found.tracking != one.tracking || len(found.roots) != one.roots || found.Unified() != one.unified ||
			(found.beside != "") != (one.mounts == version1+"\n"+beside) {
			t.Errorf("%s: %+v, %v", name, found, err)
		}
	}
	for name, mounts := range map[string]string{
		"are mounted": "proc /proc proc rw 0 0",
		"memory":      strings.Replace(version1, "memory cgroup rw,memory", "freezer cgroup rw,freezer", 1),
	} {
		if found, err := parse(strings.Split(mounts, "\n")); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %+v, %v", name, found, err)
		}
	}
}

func TestGroupsOfTheRuntimeAreRemovedToo(t *testing.T) {
	groups := FS{tracking: t.TempDir(), beside: t.TempDir()}
	groups.roots = []string{groups.tracking}
	for _, root := range []string{groups.tracking, groups.beside} {
		if err := os.MkdirAll(filepath.Join(root, "idc-a/node1/pod"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := groups.Remove("idc-a"); err != nil {
		t.Fatal(err)
	}
	for _, root := range []string{groups.tracking, groups.beside} {
		if left, err := os.ReadDir(root); err != nil || len(left) > 0 {
			t.Errorf("left: %v, %v", left, err)
		}
	}
}

func TestGroupsOfADirectory(t *testing.T) {
	groups := FS{tracking: t.TempDir(), roots: nil}
	for _, name := range []string{"idc-a/control-plane/etcd", "idc-a/node1", "idc-ab/node1"} {
		if err := groups.MakeForProcesses(name); err != nil {
			t.Fatal(err)
		}
	}
	children, err := groups.Children("idc-a")
	if err != nil || !slices.Equal(children, []string{"control-plane", "node1"}) {
		t.Errorf("%v, %v", children, err)
	}
	if children, err := groups.Children("none"); err != nil || len(children) > 0 {
		t.Errorf("%v, %v", children, err)
	}
	found := below(groups.tracking + "/idc-a")
	for i, path := range found {
		if slices.ContainsFunc(found[i+1:], func(later string) bool { return strings.HasPrefix(later, path+"/") }) {
			t.Errorf("%s comes before what is in it", path)
		}
	}
	if len(found) != 4 {
		t.Errorf("%v", found)
	}
}
