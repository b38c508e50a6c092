package network

import (
	"context"
	"net"
	"runtime"
	"time"

	"github.com/vishvananda/netns"
)

// mostDials bounds the threads that wait for an answer at one time.
const mostDials = 256

// Dialer connects from within a network namespace. The connections are usable from everywhere.
type Dialer struct {
	name  string
	limit time.Duration
	slots chan struct{}
}

// NewDialer makes a dialer whose attempts take limit at most.
func NewDialer(name string, limit time.Duration) *Dialer {
	return &Dialer{name: name, limit: limit, slots: make(chan struct{}, mostDials)}
}

// Dial connects to an address, which must be numeric: names would be looked up outside.
func (d *Dialer) Dial(ctx context.Context, address string) (net.Conn, error) {
	select {
	case d.slots <- struct{}{}:
		defer func() { <-d.slots }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	type result struct {
		connection net.Conn
		err        error
	}
	results := make(chan result, 1)
	go func() {
		connection, err := d.dialInside(ctx, address)
		results <- result{connection, err}
	}()
	found := <-results
	return found.connection, found.err
}

// dialInside takes its goroutine's thread into the namespace and back.
func (d *Dialer) dialInside(ctx context.Context, address string) (net.Conn, error) {
	runtime.LockOSThread()
	outside, err := netns.Get()
	if err != nil {
		runtime.UnlockOSThread()
		return nil, err
	}
	defer outside.Close()
	defer func() {
		// A thread that cannot go back stays locked, and ends with its goroutine.
		if netns.Set(outside) == nil {
			runtime.UnlockOSThread()
		}
	}()
	inside, err := openNamespace(d.name)
	if err != nil {
		return nil, err
	}
	defer inside.Close()
	if err := netns.Set(inside); err != nil {
		return nil, err
	}
	dialer := net.Dialer{Timeout: d.limit}
	return dialer.DialContext(ctx, "tcp4", address)
}
