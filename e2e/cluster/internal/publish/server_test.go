package publish

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

const (
	limit = 5 * time.Second
	// silence is how long nothing may be heard from a server that says nothing.
	silence = 200 * time.Millisecond
	request = "GET / HTTP/1.1\r\nHost: a.localhost\r\n\r\n"
)

// published serves one Service behind a.localhost: what the test does with each connection is handle.
func published(t *testing.T, handle func(*net.TCPConn)) (address string) {
	t.Helper()
	server := listen(t)
	go func() { _ = Serve(server, handle) }()
	return front(t, server.Addr().String())
}

// front is the forwarder before one server.
func front(t *testing.T, server string) string {
	t.Helper()
	listener := listen(t)
	routes := []Route{{Host: "a.localhost", Service: Service{"disk", "web", 80}}}
	lookup := func(Service) (string, error) { return server, nil }
	dial := func(ctx context.Context, address string) (net.Conn, error) {
		return (&net.Dialer{Timeout: limit}).DialContext(ctx, "tcp", address)
	}
	go func() { _ = Serve(listener, ByHost(routes, lookup, dial)) }()
	return listener.Addr().String()
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	return listener
}

func connect(t *testing.T, address, say string) *net.TCPConn {
	t.Helper()
	connection, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = connection.Close() })
	if err := connection.SetDeadline(time.Now().Add(limit)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(connection, say); err != nil {
		t.Fatal(err)
	}
	tcp, ok := connection.(*net.TCPConn)
	if !ok {
		t.Fatal("no TCP connection")
	}
	return tcp
}

func TestBytesGoBothWaysAtOnce(t *testing.T) {
	address := published(t, func(server *net.TCPConn) {
		defer server.Close()
		_, _ = io.Copy(server, server)
	})
	client := connect(t, address, request)
	reader := bufio.NewReader(client)
	for i := range 3 {
		// Each is answered before the next is sent: nothing waits for more.
		if i > 0 {
			if _, err := fmt.Fprintf(client, "piece %d\n", i); err != nil {
				t.Fatal(err)
			}
		}
		want := "GET / HTTP/1.1\r\n"
		if i > 0 {
			want = fmt.Sprintf("piece %d\n", i)
		}
		for {
			line, err := reader.ReadString('\n')
			if err != nil {
				t.Fatal(err)
			}
			if line == want {
				break
			}
		}
	}
	// The end of one direction is passed on, and the other goes on until its own.
	if err := client.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if rest, err := io.ReadAll(reader); err != nil || len(rest) > 0 {
		t.Errorf("after the end there was %q, %v", rest, err)
	}
}

func TestResetOfTheServerReachesTheClient(t *testing.T) {
	address := published(t, func(server *net.TCPConn) {
		_, _ = server.Read(make([]byte, 1<<10))
		reset(server)
	})
	began := time.Now()
	_, err := io.ReadAll(connect(t, address, request))
	if !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("the client sees %v, not a reset", err)
	}
	if waited := time.Since(began); waited > time.Second {
		t.Errorf("only after %v", waited)
	}
}

func TestResetOfTheServerStopsAnUpload(t *testing.T) {
	address := published(t, func(server *net.TCPConn) {
		_, _ = io.CopyN(io.Discard, server, 1<<20)
		reset(server)
	})
	client := connect(t, address, request)
	var err error
	for chunk := make([]byte, 64<<10); err == nil; {
		_, err = client.Write(chunk)
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error("the client sends on and on")
	}
}

func TestResetOfTheClientReachesTheServer(t *testing.T) {
	seen := make(chan error, 1)
	address := published(t, func(server *net.TCPConn) {
		_, err := io.Copy(io.Discard, server)
		seen <- err
	})
	reset(connect(t, address, request+"and a part of a body"))
	select {
	case err := <-seen:
		if err == nil {
			t.Error("the server takes a client that went away for one that has said all")
		}
	case <-time.After(limit):
		t.Error("the server is not told")
	}
}

func TestSilentServerStaysSilent(t *testing.T) {
	held := make(chan *net.TCPConn, 1)
	address := published(t, func(server *net.TCPConn) { held <- server })
	client := connect(t, address, request)
	defer func() { reset(<-held) }()
	if err := client.SetReadDeadline(time.Now().Add(silence)); err != nil {
		t.Fatal(err)
	}
	if count, err := client.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("the client hears %d bytes, %v", count, err)
	}
}

func TestRefusals(t *testing.T) {
	closed := listen(t)
	nobody := closed.Addr().String()
	if err := closed.Close(); err != nil {
		t.Fatal(err)
	}
	for name, one := range map[string]struct{ say, want string }{
		"nobody listens": {request, "HTTP/1.1 502 "},
		"another host":   {"GET / HTTP/1.1\r\nHost: b.localhost\r\n\r\n", "HTTP/1.1 421 "},
		"no host":        {"GET / HTTP/1.0\r\n\r\n", "HTTP/1.1 400 "},
	} {
		client := connect(t, front(t, nobody), one.say)
		line, err := bufio.NewReader(client).ReadString('\n')
		if err != nil || !strings.HasPrefix(line, one.want) {
			t.Errorf("%s: answer %q, %v", name, line, err)
		}
	}
}
