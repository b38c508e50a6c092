// Package cgroup makes, empties and removes control groups, of version 1 and 2.
package cgroup

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// FS is the machine's control groups.
type FS struct {
	// Tracking is the hierarchy in which this program keeps count of its processes.
	tracking string
	// Roots are all hierarchies in which pods get groups.
	roots   []string
	unified bool
	// Beside is version 2 where it is mounted beside version 1: the container runtime makes groups there too.
	beside string
}

// Open finds the machine's control groups.
func Open() (FS, error) {
	file, err := os.Open("/proc/self/mounts")
	if err != nil {
		return FS{}, fmt.Errorf("control groups: %w", err)
	}
	defer file.Close()
	var lines []string
	for scanner := bufio.NewScanner(file); scanner.Scan(); {
		lines = append(lines, scanner.Text())
	}
	return parse(lines)
}

// parse chooses hierarchies from the lines of /proc/self/mounts.
func parse(mounts []string) (FS, error) {
	var found FS
	var version2 string
	controllers := map[string]string{}
	for _, line := range mounts {
		fields := strings.Fields(line)
		if len(fields) < 4 {
			continue
		}
		switch fields[2] {
		case "cgroup2":
			version2 = fields[1]
		case "cgroup":
			found.roots = append(found.roots, fields[1])
			for _, option := range strings.Split(fields[3], ",") {
				controllers[option] = fields[1]
			}
		}
	}
	if len(found.roots) == 0 {
		if version2 == "" {
			return FS{}, errors.New("no control groups are mounted: mount cgroup2 at /sys/fs/cgroup")
		}
		return FS{tracking: version2, roots: []string{version2}, unified: true}, nil
	}
	for _, controller := range []string{"cpu", "cpuset", "memory", "pids"} {
		if controllers[controller] == "" {
			return FS{}, fmt.Errorf("the control group controller %s is not mounted: the kubelet needs it", controller)
		}
	}
	found.tracking, found.beside = controllers["pids"], version2
	return found, nil
}

// Unified says that the machine has version 2 only.
func (f FS) Unified() bool { return f.unified }

// MakeForProcesses makes a group that Add takes.
func (f FS) MakeForProcesses(group string) error {
	return wrap(group, os.MkdirAll(filepath.Join(f.tracking, group), 0o755))
}

// Add moves a process into a group made by MakeForProcesses.
func (f FS) Add(group string, pid int) error {
	path := filepath.Join(f.tracking, group, "cgroup.procs")
	return wrap(group, os.WriteFile(path, []byte(strconv.Itoa(pid)), 0o644))
}

// MakeForPods makes a group for a kubelet in every hierarchy.
func (f FS) MakeForPods(group string) error {
	for _, root := range f.roots {
		if err := os.MkdirAll(filepath.Join(root, group), 0o755); err != nil {
			return wrap(group, err)
		}
		if err := f.prepare(root, group); err != nil {
			return wrap(group, err)
		}
	}
	return nil
}

// prepare makes a group's controllers usable: version 2 hands them down explicitly, and a cpuset of version 1 is
// born empty and takes no process.
func (f FS) prepare(root, group string) error {
	parent := root
	for _, part := range strings.Split(group, "/") {
		child := filepath.Join(parent, part)
		if f.unified {
			if err := delegate(parent); err != nil {
				return err
			}
		}
		for _, file := range []string{"cpuset.cpus", "cpuset.mems"} {
			if f.unified {
				break
			}
			content, err := os.ReadFile(filepath.Join(parent, file))
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if err != nil {
				return err
			}
			if err := os.WriteFile(filepath.Join(child, file), content, 0o644); err != nil {
				return err
			}
		}
		parent = child
	}
	return nil
}

func delegate(group string) error {
	content, err := os.ReadFile(filepath.Join(group, "cgroup.controllers"))
	if err != nil {
		return err
	}
	for _, controller := range strings.Fields(string(content)) {
		// One that cannot be handed down (a machine may forbid cpuset or rdma) is missed only if the kubelet says so.
		_ = os.WriteFile(filepath.Join(group, "cgroup.subtree_control"), []byte("+"+controller), 0o644)
	}
	return nil
}

// Processes are the ids of all processes in a group and below it.
func (f FS) Processes(group string) ([]int, error) {
	var found []int
	for _, directory := range below(filepath.Join(f.tracking, group)) {
		content, err := os.ReadFile(filepath.Join(directory, "cgroup.procs"))
		if errors.Is(err, fs.ErrNotExist) || isGone(err) {
			continue
		}
		if err != nil {
			return nil, wrap(group, err)
		}
		for _, field := range strings.Fields(string(content)) {
			pid, err := strconv.Atoi(field)
			if err != nil {
				return nil, wrap(group, err)
			}
			found = append(found, pid)
		}
	}
	slices.Sort(found)
	return slices.Compact(found), nil
}

// Children are the names of the groups directly below a group.
func (f FS) Children(group string) ([]string, error) {
	entries, err := os.ReadDir(filepath.Join(f.tracking, group))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, wrap(group, err)
	}
	var names []string
	for _, entry := range entries {
		if entry.IsDir() {
			names = append(names, entry.Name())
		}
	}
	return names, nil
}

// below lists a directory's tree, deepest first.
func below(directory string) []string {
	var found []string
	// A group that goes away meanwhile is one less to care for.
	_ = filepath.WalkDir(directory, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() {
			found = append(found, path)
		}
		return nil
	})
	slices.Reverse(found)
	return found
}

func wrap(group string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("control group %s: %w", group, err)
}
