package cgroup

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

const (
	endLimit = 20 * time.Second
	endStep  = 10 * time.Millisecond
)

// Kill ends every process in a group and below it, and waits until none is left.
func (f FS) Kill(group string) error {
	for began := time.Now(); ; time.Sleep(endStep) {
		pids, err := f.Processes(group)
		if err != nil || len(pids) == 0 {
			return err
		}
		if time.Since(began) > endLimit {
			return fmt.Errorf("processes %v of control group %s do not end: something holds them in the kernel", pids, group)
		}
		for _, pid := range pids {
			// Its own process may be in the group when it runs inside the cluster.
			if pid != os.Getpid() {
				_ = unix.Kill(pid, unix.SIGKILL)
			}
		}
	}
}

// Remove removes a group without processes from every hierarchy, with all groups below it.
func (f FS) Remove(group string) error {
	roots := f.roots
	if f.beside != "" {
		roots = append(slices.Clone(roots), f.beside)
	}
	for _, root := range roots {
		for began := time.Now(); ; time.Sleep(endStep) {
			err := removeTree(filepath.Join(root, group))
			if err == nil {
				break
			}
			// A group stays busy for a moment after its last process has ended.
			if time.Since(began) > endLimit {
				return wrap(group, err)
			}
		}
	}
	return nil
}

func removeTree(directory string) error {
	for _, path := range below(directory) {
		if err := unix.Rmdir(path); err != nil && !errors.Is(err, unix.ENOENT) {
			return fmt.Errorf("%s cannot be removed: %w", path, err)
		}
	}
	return nil
}

func isGone(err error) bool { return errors.Is(err, unix.ENODEV) }
