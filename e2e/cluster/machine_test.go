//go:build machine

package main_test

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"internetdisk.dev/cluster/internal/cgroup"
)

const (
	prefix = "idc-" + clusterName
	// clusterName is no other cluster's: one may run beside the test.
	clusterName = "try"
	nodes       = 3
)

// machine runs the built program on this machine.
type machine struct {
	t       *testing.T
	program string
	state   string
	groups  cgroup.FS
}

func open(t *testing.T) machine {
	t.Helper()
	program, err := filepath.Abs("../../target/cluster/cluster")
	if err != nil {
		t.Fatal(err)
	}
	groups, err := cgroup.Open()
	if err != nil {
		t.Fatal(err)
	}
	return machine{t, program, filepath.Join(t.TempDir(), "state"), groups}
}

// try runs a command of the program, or a part of Kubernetes.
func (m machine) try(arguments ...string) (string, error) {
	var out bytes.Buffer
	if arguments[0] != "kubectl" {
		arguments = append([]string{"--name", clusterName, "--state", m.state}, arguments...)
	}
	command := exec.Command(m.program, arguments...)
	command.Env = append(os.Environ(), "KUBECONFIG="+filepath.Join(m.state, "kubeconfig"))
	command.Stdout, command.Stderr = &out, &out
	err := command.Run()
	return out.String(), err
}

func (m machine) run(arguments ...string) string {
	m.t.Helper()
	out, err := m.try(arguments...)
	if err != nil {
		m.t.Fatalf("cluster %s: %v\n%s", strings.Join(arguments, " "), err, out)
	}
	return out
}

// up starts the cluster, and says how long it took.
func (m machine) up(what string) {
	m.t.Helper()
	began := time.Now()
	out := m.run("up", "--nodes", strconv.Itoa(nodes))
	m.t.Logf("%s: %.1f s", what, time.Since(began).Seconds())
	if !strings.Contains(out, "all 3 nodes are Ready") {
		m.t.Errorf("up says:\n%s", out)
	}
	if out, err := m.try("status"); err != nil {
		m.t.Errorf("status says:\n%s", out)
	}
}

// until waits for a condition.
func (m machine) until(what string, limit time.Duration, holds func() (bool, string)) time.Duration {
	m.t.Helper()
	for began := time.Now(); ; time.Sleep(50 * time.Millisecond) {
		done, why := holds()
		if done {
			return time.Since(began)
		}
		if time.Since(began) > limit {
			m.t.Fatalf("in vain until %s: %s", what, why)
		}
	}
}

// nodeOf is the number of a pod's node.
func (m machine) nodeOf(pod string) string {
	m.t.Helper()
	return strings.TrimPrefix(m.run("kubectl", "get", "pod", pod, "-o", "jsonpath={.spec.nodeName}"), "node")
}

// ready says whether the API server takes a node for Ready.
func (m machine) ready(number, want string) func() (bool, string) {
	return func() (bool, string) {
		out, err := m.try("kubectl", "get", "node", "node"+number, "-o",
			`jsonpath={.status.conditions[?(@.type=="Ready")].status}`)
		return err == nil && (out == "True") == (want == "True"), out
	}
}

// killPod kills the program in a pod, as when memory runs out.
func (m machine) killPod(pod string) {
	m.t.Helper()
	uid := m.run("kubectl", "get", "pod", pod, "-o", "jsonpath={.metadata.uid}")
	var killed int
	for _, pid := range m.processes() {
		group, err := os.ReadFile(fmt.Sprintf("/proc/%d/cgroup", pid))
		name, other := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
		if err == nil && other == nil && strings.Contains(string(group), uid) && strings.TrimSpace(string(name)) == "echo" {
			killed++
			if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
				m.t.Fatal(err)
			}
		}
	}
	if killed != 1 {
		m.t.Fatalf("%d processes of %s were found", killed, pod)
	}
}

func (m machine) processes() []int {
	m.t.Helper()
	pids, err := m.groups.Processes(prefix)
	if err != nil {
		m.t.Fatal(err)
	}
	return pids
}

// memory is what all processes of the cluster have of their own, and their shares of what they share, in MiB.
func (m machine) memory() int {
	kib := 0
	for _, pid := range m.processes() {
		content, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(content)) {
			if fields := strings.Fields(line); len(fields) > 1 && fields[0] == "Pss:" {
				one, err := strconv.Atoi(fields[1])
				if err != nil {
					m.t.Fatal(err)
				}
				kib += one
			}
		}
	}
	return kib >> 10
}

// traces are all things of the machine that a cluster might leave behind.
func (m machine) traces() []string {
	m.t.Helper()
	var found []string
	for _, pid := range m.processes() {
		found = append(found, fmt.Sprintf("process %d", pid))
	}
	groups, err := filepath.Glob("/sys/fs/cgroup/*/" + prefix + "*")
	if err != nil {
		m.t.Fatal(err)
	}
	found = append(found, groups...)
	namespaces, err := filepath.Glob("/run/netns/" + prefix + "-*")
	if err != nil {
		m.t.Fatal(err)
	}
	found = append(found, namespaces...)
	mounts, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		m.t.Fatal(err)
	}
	for line := range strings.Lines(string(mounts)) {
		found = append(found, "mount "+strings.TrimSpace(line))
	}
	links, err := net.Interfaces()
	if err != nil {
		m.t.Fatal(err)
	}
	for _, link := range links {
		found = append(found, "link "+link.Name)
	}
	rules, err := exec.Command("nft", "list", "ruleset").CombinedOutput()
	found = append(found, fmt.Sprintf("rules %s %v", rules, err))
	slices.Sort(found)
	return found
}

// keepLogs copies the logs of all programs to a directory that stays.
func (m machine) keepLogs(directory string) {
	logs, err := filepath.Glob(m.state + "/*/*.log")
	more, other := filepath.Glob(m.state + "/*/log/*.log")
	if err := errors.Join(err, other, os.RemoveAll(directory)); err != nil {
		m.t.Error(err)
	}
	for _, log := range append(logs, more...) {
		relative, err := filepath.Rel(m.state, log)
		if err != nil {
			m.t.Error(err)
			continue
		}
		to := filepath.Join(directory, relative)
		content, err := os.ReadFile(log)
		if err := errors.Join(err, os.MkdirAll(filepath.Dir(to), 0o755), os.WriteFile(to, content, 0o600)); err != nil {
			m.t.Error(err)
		}
	}
	m.t.Logf("the logs are kept in %s", directory)
}

func compare(before, after []string) string {
	var out strings.Builder
	for _, one := range after {
		if !slices.Contains(before, one) {
			fmt.Fprintf(&out, "left: %s\n", one)
		}
	}
	for _, one := range before {
		if !slices.Contains(after, one) {
			fmt.Fprintf(&out, "gone: %s\n", one)
		}
	}
	return out.String()
}
