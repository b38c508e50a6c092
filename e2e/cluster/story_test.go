//go:build machine

package main_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestCluster is a cluster's whole life on this machine.
func TestCluster(t *testing.T) {
	m := open(t)
	before := m.traces()
	for _, trace := range before {
		if strings.Contains(trace, prefix) {
			t.Errorf("an earlier cluster has left: %s", trace)
		}
	}
	t.Cleanup(func() {
		if t.Failed() {
			m.keepLogs("../../target/cluster/failed")
		}
		_, _ = m.try("down")
	})

	m.up("up")
	t.Logf("memory of the empty cluster: %d MiB", m.memory())
	m.up("up once more")
	p := m.deploy()
	t.Run("a service proxy that ended is started again, and no pod", p.proxy)
	t.Run("files are shared and logs and exec work", func(*testing.T) { m.shared() })
	t.Run("requests are led by host", p.leads)
	t.Run("a killed server resets its connections", p.kill)
	t.Run("an isolated node is silent, and left out after the grace period", p.isolate)
	t.Run("a stopped node comes back", p.stop)
	t.Run("all is killed", p.killAll)
	t.Logf("memory with two pods: %d MiB", m.memory())

	m.run("publish", "--stop")
	if _, err := net.Dial("tcp", p.address); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("%s after publish --stop: %v", p.address, err)
	}
	m.run("down")
	if difference := compare(before, m.traces()); difference != "" {
		t.Errorf("down does not leave the machine as it was:\n%s", difference)
	}
	if _, err := os.Stat(m.state); !os.IsNotExist(err) {
		t.Errorf("%s: %v", m.state, err)
	}
	m.run("down")
}

// published is the cluster with two pods that are shown on the machine.
type published struct {
	machine
	address string
	routes  []string
}

func (m machine) deploy() published {
	m.t.Helper()
	directory := m.t.TempDir()
	program, archive := filepath.Join(directory, "echo"), filepath.Join(directory, "echo.tar")
	build := exec.Command("go", "build", "-o", program, "./testdata/echo")
	if out, err := build.CombinedOutput(); err != nil {
		m.t.Fatalf("%v\n%s", err, out)
	}
	m.run("image", "--out", archive, "--name", "registry.localhost/echo:1", "--entrypoint", "/echo", "/echo="+program)
	m.run("load", archive)
	template, err := os.ReadFile("testdata/echo.yaml")
	if err != nil {
		m.t.Fatal(err)
	}
	shared := filepath.Join(m.state, "shared")
	manifest := filepath.Join(directory, "echo.yaml")
	content := bytes.ReplaceAll(template, []byte("{{shared}}"), []byte(shared))
	if err := os.WriteFile(manifest, content, 0o600); err != nil {
		m.t.Fatal(err)
	}
	m.run("kubectl", "apply", "--server-side", "-f", manifest)
	m.run("kubectl", "rollout", "status", "statefulset/echo", "--timeout=60s")
	p := published{m, free(m.t), []string{"any.localhost=default/echo:80", "*.localhost=default/echo-*:80"}}
	p.publish()
	return p
}

func free(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

func (p published) publish() {
	p.t.Helper()
	p.run(append([]string{"publish", "--listen", p.address}, p.routes...)...)
}

// ask sends a request of its own connection and says which pod answered.
func (p published) ask(host string, body io.Reader, limit time.Duration) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+p.address+"/", body)
	if err != nil {
		return "", err
	}
	request.Host = host
	answer, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(request)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	said, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = errors.New(answer.Status)
	}
	return strings.TrimSpace(string(said)), err
}

func (p published) answers(host, pod string) func() (bool, string) {
	return func() (bool, string) {
		said, err := p.ask(host, nil, 2*time.Second)
		return err == nil && strings.HasPrefix(said, pod+" "), said
	}
}

func (m machine) shared() {
	m.t.Helper()
	for _, pod := range []string{"echo-0", "echo-1"} {
		if said := m.run("kubectl", "exec", pod, "--", "/echo", "names", "/data"); said != "echo-0\necho-1\n" {
			m.t.Errorf("%s sees %q", pod, said)
		}
		if said := m.run("kubectl", "logs", pod); !strings.Contains(said, "listening") {
			m.t.Errorf("log of %s: %q", pod, said)
		}
	}
}

func (p published) leads(t *testing.T) {
	for host, pods := range map[string][]string{
		"0.localhost": {"echo-0 5"}, "1.localhost": {"echo-1 5"}, "any.localhost": {"echo-0 5", "echo-1 5"},
	} {
		said, err := p.ask(host, strings.NewReader("bytes"), 2*time.Second)
		if err != nil || !slices.Contains(pods, said) {
			t.Errorf("%s: %q, %v", host, said, err)
		}
	}
	if said, err := p.ask("7.localhost", nil, 2*time.Second); err == nil || !strings.Contains(said, "no such Service") {
		t.Errorf("a pod that is not: %q, %v", said, err)
	}
	p.run("kubectl", "scale", "statefulset/echo", "--replicas=3")
	p.run("kubectl", "rollout", "status", "statefulset/echo", "--timeout=60s")
	p.until("the third pod answers", 5*time.Second, p.answers("any.localhost", "echo-2"))
	p.run("kubectl", "scale", "statefulset/echo", "--replicas=2")
}

// endless is a body that never ends.
type endless struct{ began chan struct{} }

func (e endless) Read(into []byte) (int, error) {
	select {
	case e.began <- struct{}{}:
	default:
	}
	return len(into), nil
}

// uploading begins an upload, and says how it ended.
func (p published) uploading(host string, limit time.Duration) <-chan error {
	ended := make(chan error, 1)
	body := endless{make(chan struct{})}
	go func() {
		_, err := p.ask(host, body, limit)
		ended <- err
	}()
	// Some pieces are on their way when this returns.
	for range 20 {
		<-body.began
	}
	return ended
}

func (p published) kill(t *testing.T) {
	ended := p.uploading("0.localhost", 10*time.Second)
	p.killPod("echo-0")
	began := time.Now()
	err := <-ended
	if waited := time.Since(began); err == nil || waited > time.Second {
		t.Errorf("the client waits %v for %v", waited, err)
	} else {
		t.Logf("the client notices after %v: %v", waited.Round(time.Millisecond), err)
	}
	p.until("the container runs again", 30*time.Second, p.answers("0.localhost", "echo-0"))
}

func (p published) isolate(t *testing.T) {
	number := p.nodeOf("echo-1")
	ended := p.uploading("1.localhost", time.Second)
	p.run("node", "isolate", number)
	if err := <-ended; !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the client of a silent server sees %v", err)
	}
	t.Logf("node %s is NotReady after %v", number, p.until("it is NotReady", 25*time.Second, p.ready(number, "False")))
	p.until("the Service leaves its pod out", 10*time.Second, func() (bool, string) {
		for range 5 {
			if done, said := p.answers("any.localhost", "echo-0")(); !done {
				return false, said
			}
		}
		return true, ""
	})
	p.run("node", "heal", number)
	p.until("it is Ready again", 30*time.Second, p.ready(number, "True"))
	p.until("its pod answers", 10*time.Second, p.answers("1.localhost", "echo-1"))
}

func (p published) proxy(t *testing.T) {
	pids, err := p.groups.Processes(prefix + "/agents-node1/kube-proxy")
	if err != nil || len(pids) == 0 {
		t.Fatal(pids, err)
	}
	for _, pid := range pids {
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
	}
	p.until("status says so", 5*time.Second, func() (bool, string) {
		out, err := p.try("status")
		return err != nil && strings.Contains(out, "does not run: kube-proxy"), out
	})
	p.up("up with a service proxy less")
	const restarts = "jsonpath={.items[*].status.containerStatuses[*].restartCount}"
	if said := p.run("kubectl", "get", "pods", "-o", restarts); said != "0 0" {
		t.Errorf("restarts: %s", said)
	}
}

func (p published) stop(t *testing.T) {
	number := p.nodeOf("echo-0")
	p.run("node", "stop", number)
	p.until("it is NotReady", 25*time.Second, p.ready(number, "False"))
	if out, err := p.try("status"); err == nil || !strings.Contains(out, "does not run: ") {
		t.Errorf("status says of a stopped node:\n%s", out)
	}
	p.run("node", "start", number)
	p.until("it is Ready again", 30*time.Second, p.ready(number, "True"))
	p.until("its pod answers", 60*time.Second, p.answers("0.localhost", "echo-0"))
}

func (p published) killAll(t *testing.T) {
	for pids := p.processes(); len(pids) > 0; pids = p.processes() {
		for _, pid := range pids {
			if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
				t.Fatal(err)
			}
		}
	}
	if out, err := p.try("status"); err == nil {
		t.Errorf("status says of a dead cluster:\n%s", out)
	}
	p.up("up after all was killed")
	p.publish()
	p.until("pods answer", 90*time.Second, p.answers("0.localhost", "echo-0"))
	p.until("pods answer", 90*time.Second, p.answers("1.localhost", "echo-1"))
}
