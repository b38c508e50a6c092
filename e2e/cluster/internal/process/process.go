// Package process starts the programs of a cluster and finds them again, by their control groups: ids may be used
// anew by others, a control group's processes are ours for certain.
package process

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	"internetdisk.dev/cluster/internal/cgroup"
)

// Program is one program that stays.
type Program struct {
	// Group is the control group of the program and of what it starts, relative to the root.
	Group string
	// Path is what is started; its base name is how its process is called.
	Path      string
	Arguments []string
	Log       string
	// Environment is added to the machine's PATH, which is all a program inherits.
	Environment []string
}

// Start starts a program that outlives this one. It inherits the calling thread's namespaces.
func Start(groups cgroup.FS, program Program) error {
	if err := os.MkdirAll(filepath.Dir(program.Log), 0o755); err != nil {
		return err
	}
	log, err := os.OpenFile(program.Log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return err
	}
	defer log.Close()
	if err := groups.MakeForProcesses(program.Group); err != nil {
		return err
	}
	command := exec.Command(program.Path, program.Arguments...)
	command.Stdout, command.Stderr = log, log
	command.Dir = "/"
	command.Env = append([]string{
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root",
	}, program.Environment...)
	command.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := command.Start(); err != nil {
		return fmt.Errorf("%s cannot be started: %w", filepath.Base(program.Path), err)
	}
	if err := groups.Add(program.Group, command.Process.Pid); err != nil {
		return fmt.Errorf("%s ended at once; see %s: %w", filepath.Base(program.Path), program.Log, err)
	}
	// Reaps it if it ends while this program still runs.
	go func() { _ = command.Wait() }()
	return nil
}

// Running says whether the program runs in its control group.
func Running(groups cgroup.FS, program Program) bool {
	pids, err := groups.Processes(program.Group)
	if err != nil {
		return false
	}
	// The kernel keeps 15 bytes of a name.
	want := filepath.Base(program.Path)
	want = want[:min(len(want), 15)]
	for _, pid := range pids {
		name, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
		if err == nil && strings.TrimSpace(string(name)) == want && !isEnded(pid) {
			return true
		}
	}
	return false
}

// isEnded tells a process that only waits to be reaped.
func isEnded(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return true
	}
	_, after, found := strings.Cut(string(stat), ") ")
	return !found || strings.HasPrefix(after, "Z") || strings.HasPrefix(after, "X")
}
