package publish

import (
	"errors"
	"fmt"
	"net"
	"syscall"
)

// Listen listens at an address of the machine. Beside 127.0.0.1 that is ::1 too, where there is one: browsers try
// both for names under localhost.
func Listen(address string) ([]net.Listener, error) {
	first, err := net.Listen("tcp", address)
	if err != nil {
		if errors.Is(err, syscall.EADDRINUSE) {
			return nil, fmt.Errorf("%s is in use: end what listens there, or choose another port", address)
		}
		return nil, err
	}
	listeners := []net.Listener{first}
	host, port, err := net.SplitHostPort(address)
	if err != nil || host != "127.0.0.1" || port == "0" {
		return listeners, err
	}
	// A machine without IPv6 does without.
	if second, err := net.Listen("tcp6", net.JoinHostPort("::1", port)); err == nil {
		listeners = append(listeners, second)
	}
	return listeners, nil
}
