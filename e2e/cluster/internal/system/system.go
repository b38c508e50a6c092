// Package system looks after what the machine must have: packages, kernel and rights.
package system

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
)

// requirement is a file of the machine, and the Debian package it is from.
type requirement struct {
	path string
	from string
}

var requirements = []requirement{
	{"/usr/bin/containerd", "containerd"},
	{"/usr/bin/ctr", "containerd"},
	{"/usr/sbin/runc", "runc"},
	{"/usr/lib/cni/bridge", "containernetworking-plugins"},
	{"/usr/lib/cni/portmap", "containernetworking-plugins"},
	{"/usr/sbin/nft", "nftables"},
	{"/usr/sbin/iptables", "iptables"},
	{"/usr/sbin/conntrack", "conntrack"},
	{"/usr/sbin/ethtool", "ethtool"},
	{"/usr/bin/socat", "socat"},
	{"/usr/bin/mount", "mount"},
}

// Arch is the machine's architecture as images name it.
func Arch() string { return runtime.GOARCH }

// Prepare installs what is missing, or says what to do.
func Prepare(say func(format string, arguments ...any)) error {
	if os.Geteuid() != 0 {
		return errors.New("nodes are made of namespaces and control groups, which only root may make: run it as root")
	}
	missing := missing(requirements, exists)
	if len(missing) == 0 {
		return nil
	}
	names := strings.Join(missing, " ")
	if _, err := exec.LookPath("apt-get"); err != nil {
		return fmt.Errorf("install what these Debian packages hold, at the same paths, and try again: %s", names)
	}
	say("installing %s", names)
	if err := install(missing); err != nil {
		return fmt.Errorf("%w; install them by hand and try again: apt-get install %s", err, names)
	}
	return nil
}

func missing(of []requirement, exists func(string) bool) []string {
	var packages []string
	seen := map[string]bool{}
	for _, one := range of {
		if !seen[one.from] && !exists(one.path) {
			seen[one.from] = true
			packages = append(packages, one.from)
		}
	}
	return packages
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// install asks apt.
func install(packages []string) error {
	arguments := append([]string{"install", "--yes", "--quiet", "--no-install-recommends"}, packages...)
	for _, step := range [][]string{{"update", "--quiet"}, arguments} {
		command := exec.Command("apt-get", step...)
		command.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
		if output, err := command.CombinedOutput(); err != nil {
			return fmt.Errorf("apt-get %s: %w: %s", step[0], err, last(string(output)))
		}
	}
	return nil
}

func last(output string) string {
	lines := strings.Split(strings.TrimSpace(output), "\n")
	return lines[len(lines)-1]
}
