package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"internetdisk.dev/cluster/internal/cgroup"
	"internetdisk.dev/cluster/internal/layout"
	"internetdisk.dev/cluster/internal/process"
	"internetdisk.dev/cluster/internal/publish"
)

// Forwarder is the command, and the name of the process, that carries connections into a cluster.
const Forwarder = "forward"

const publishLimit = 10 * time.Second

// forwarder is one such process. The role names its control group and log.
func forwarder(cluster layout.Cluster, role, listen string, rest ...string) process.Program {
	return process.Program{
		Group: cluster.Prefix() + "/" + role,
		Path:  cluster.Bin(Forwarder),
		// It is called by a link to the program, which knows the command by its name.
		Arguments:   append([]string{"--name", cluster.Name, "--state", cluster.State, "--listen", listen}, rest...),
		Log:         cluster.Log(role),
		Environment: []string{"GOGC=50"},
	}
}

// forwardAPI shows the API server on the machine.
func forwardAPI(cluster layout.Cluster, settings Settings, groups cgroup.FS) error {
	to := fmt.Sprintf("%s:%d", layout.ControlPlane, layout.APIPort)
	return startForwarder(groups, forwarder(cluster, "forward-api", settings.APIListen, "--to", to))
}

// Publish shows Services at an address of the machine. What is published there already stays as it is when it is
// the same, and is replaced otherwise.
func Publish(ctx context.Context, cluster layout.Cluster, listen string, routes []publish.Route) error {
	settings, err := Load(cluster)
	if err != nil {
		return err
	}
	groups, err := cgroup.Open()
	if err != nil {
		return err
	}
	_, port, err := net.SplitHostPort(listen)
	if err != nil || port == "0" {
		return fmt.Errorf("%q is no address to listen at: say one such as 127.0.0.1:8080", listen)
	}
	if listen == settings.APIListen {
		return fmt.Errorf("%s is the API server's: choose another port", listen)
	}
	var words []string
	for _, route := range routes {
		words = append(words, route.String())
	}
	program := forwarder(cluster, "publish-"+strings.Trim(strings.ReplaceAll(listen, ":", "-"), "-"), listen, words...)
	if isRunningWith(groups, program) {
		return nil
	}
	if err := groups.Kill(program.Group); err != nil {
		return err
	}
	return startForwarder(groups, program)
}

// StopPublishing ends what is published, at all addresses.
func StopPublishing(cluster layout.Cluster) error {
	groups, err := cgroup.Open()
	if err != nil {
		return err
	}
	children, err := groups.Children(cluster.Prefix())
	if err != nil {
		return err
	}
	for _, child := range children {
		if !strings.HasPrefix(child, "publish-") {
			continue
		}
		group := cluster.Prefix() + "/" + child
		if err := errors.Join(groups.Kill(group), groups.Remove(group)); err != nil {
			return err
		}
	}
	return nil
}

// startForwarder waits until it listens, or says why it does not.
func startForwarder(groups cgroup.FS, program process.Program) error {
	if process.Running(groups, program) {
		return nil
	}
	if err := os.Remove(program.Log); err != nil && !os.IsNotExist(err) {
		return err
	}
	if err := process.Start(groups, program); err != nil {
		return err
	}
	listen := program.Arguments[slices.Index(program.Arguments, "--listen")+1]
	for began := time.Now(); time.Since(began) < publishLimit; time.Sleep(20 * time.Millisecond) {
		if !process.Running(groups, program) {
			said, _ := os.ReadFile(program.Log)
			return fmt.Errorf("%s cannot be published: %s", listen, strings.TrimSpace(string(said)))
		}
		if connection, err := net.Dial("tcp", listen); err == nil {
			return connection.Close()
		}
	}
	return fmt.Errorf("nothing listens at %s; see %s", listen, program.Log)
}

// isRunningWith compares the arguments of the process with those wanted.
func isRunningWith(groups cgroup.FS, program process.Program) bool {
	pids, err := groups.Processes(program.Group)
	if err != nil || !process.Running(groups, program) {
		return false
	}
	want := strings.Join(append([]string{program.Path}, program.Arguments...), "\x00") + "\x00"
	for _, pid := range pids {
		if said, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid)); err == nil && string(said) == want {
			return unix.Kill(pid, 0) == nil
		}
	}
	return false
}
