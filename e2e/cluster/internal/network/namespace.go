// Package network makes the wires of a cluster: a network namespace for each node, joined by a bridge in one more,
// the control plane's. Nothing of it is connected to the machine's own network.
package network

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// Directory is where named network namespaces are, for ip-netns(8) too.
const Directory = "/run/netns"

// In runs work on a thread inside a network namespace. Processes that work starts are inside it too; goroutines are
// not. The thread ends with work, so work may change it further.
func In(name string, work func() error) error {
	result := make(chan error, 1)
	go func() {
		// Never unlocked: the thread is thrown away.
		runtime.LockOSThread()
		result <- enter(name, work)
	}()
	return <-result
}

func enter(name string, work func() error) error {
	handle, err := netns.GetFromName(name)
	if err != nil {
		return fmt.Errorf("network namespace %s: %w: is the cluster up?", name, err)
	}
	defer handle.Close()
	if err := netns.Set(handle); err != nil {
		return fmt.Errorf("network namespace %s cannot be entered: %w", name, err)
	}
	return work()
}

// exists tells a namespace from the empty file that is left of it when the machine was started anew.
func exists(name string) bool {
	var stat unix.Statfs_t
	return unix.Statfs(filepath.Join(Directory, name), &stat) == nil && stat.Type == unix.NSFS_MAGIC
}

// create makes a namespace unless it is there.
func create(name string) error {
	if exists(name) {
		return nil
	}
	if err := os.Remove(filepath.Join(Directory, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	result := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		handle, err := netns.NewNamed(name)
		if err == nil {
			err = handle.Close()
		}
		result <- err
	}()
	if err := <-result; err != nil {
		return fmt.Errorf("network namespace %s cannot be made: %w", name, err)
	}
	return nil
}

// RemoveAll removes every namespace whose name begins with prefix and a dash, and what is in them.
func RemoveAll(prefix string) error {
	entries, err := os.ReadDir(Directory)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, entry := range entries {
		rest, ours := strings.CutPrefix(entry.Name(), prefix+"-")
		if !ours || !isRole(rest) {
			continue
		}
		path := filepath.Join(Directory, entry.Name())
		for exists(entry.Name()) {
			if err := unix.Unmount(path, unix.MNT_DETACH); err != nil {
				return fmt.Errorf("%s cannot be unmounted: %w", path, err)
			}
		}
		if err := os.Remove(path); err != nil {
			return err
		}
	}
	return nil
}

// isRole keeps the cluster a from taking the namespaces of the cluster a-b for its own.
func isRole(rest string) bool {
	if rest == "cp" {
		return true
	}
	number, isNode := strings.CutPrefix(rest, "n")
	return isNode && number != "" && strings.Trim(number, "0123456789") == ""
}

func openNamespace(name string) (netns.NsHandle, error) {
	handle, err := netns.GetFromName(name)
	if err != nil {
		return handle, fmt.Errorf("network namespace %s: %w", name, err)
	}
	return handle, nil
}
