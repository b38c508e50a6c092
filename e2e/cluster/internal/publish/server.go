package publish

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net"
	"time"
)

// headLimit is how long a client may take to say what it wants.
const headLimit = 30 * time.Second

// Dial connects to an address inside the cluster.
type Dial func(ctx context.Context, address string) (net.Conn, error)

// Lookup finds the address of a Service's port.
type Lookup func(Service) (string, error)

// Serve hands every connection to handle. It ends with the listener.
func Serve(listener net.Listener, handle func(*net.TCPConn)) error {
	for {
		connection, err := listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return nil
		}
		if err != nil {
			// Too many files are open: others will be closed.
			log.Printf("a connection was not accepted: %v", err)
			time.Sleep(10 * time.Millisecond)
			continue
		}
		if tcp, ok := connection.(*net.TCPConn); ok {
			go handle(tcp)
		}
	}
}

// Plain leads all connections to one address.
func Plain(dial Dial, address string) func(*net.TCPConn) {
	return func(client *net.TCPConn) {
		server, err := open(dial, address)
		if err != nil {
			log.Printf("%s cannot be reached: %v", address, err)
			reset(client)
			return
		}
		splice(client, server)
	}
}

// ByHost leads each connection where the Host header of its first request says.
func ByHost(routes []Route, lookup Lookup, dial Dial) func(*net.TCPConn) {
	return func(client *net.TCPConn) {
		server, head, err := choose(client, routes, lookup, dial)
		if err != nil {
			refuse(client, err)
			return
		}
		if _, err := server.Write(head); err != nil {
			reset(server)
			refuse(client, err)
			return
		}
		splice(client, server)
	}
}

func choose(client *net.TCPConn, routes []Route, lookup Lookup, dial Dial) (*net.TCPConn, []byte, error) {
	if err := client.SetReadDeadline(time.Now().Add(headLimit)); err != nil {
		return nil, nil, err
	}
	host, head, err := readHost(client)
	if len(head) == 0 {
		// A browser opens connections in stock.
		return nil, nil, errSilent
	}
	if err != nil {
		return nil, nil, answerError{400, "Bad Request", err}
	}
	if err := client.SetReadDeadline(time.Time{}); err != nil {
		return nil, nil, err
	}
	service, found := Choose(routes, host)
	if !found {
		return nil, nil, answerError{421, "Misdirected Request", fmt.Errorf("no route for the host %q", host)}
	}
	address, err := lookup(service)
	if err != nil {
		return nil, nil, answerError{502, "Bad Gateway", err}
	}
	server, err := open(dial, address)
	if err != nil {
		return nil, nil, answerError{502, "Bad Gateway", fmt.Errorf("%s cannot be reached: %w", service, err)}
	}
	return server, head, nil
}

func open(dial Dial, address string) (*net.TCPConn, error) {
	connection, err := dial(context.Background(), address)
	if err != nil {
		return nil, err
	}
	tcp, ok := connection.(*net.TCPConn)
	if !ok {
		return nil, fmt.Errorf("%s is no TCP address", address)
	}
	return tcp, nil
}

var errSilent = errors.New("the client said nothing")

// answerError is told to the client.
type answerError struct {
	status int
	text   string
	cause  error
}

func (e answerError) Error() string { return e.cause.Error() }
func (e answerError) Unwrap() error { return e.cause }

// refuse says why in a short answer and resets the connection, so that a client in the middle of a long body
// notices too.
func refuse(client *net.TCPConn, cause error) {
	var answer answerError
	if errors.As(cause, &answer) {
		log.Printf("%d for %s: %v", answer.status, client.RemoteAddr(), answer.cause)
		body := answer.cause.Error() + "\n"
		// A client that is gone needs no answer.
		_, _ = fmt.Fprintf(client, "HTTP/1.1 %d %s\r\nContent-Type: text/plain; charset=utf-8\r\n"+
			"Content-Length: %d\r\nConnection: close\r\n\r\n%s", answer.status, answer.text, len(body), body)
	}
	reset(client)
}
