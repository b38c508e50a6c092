package publish

import (
	"errors"
	"io"
	"net"
	"sync"
)

// splice carries bytes both ways until both sides have ended. The kernel moves them; nothing is kept here.
//
// An end of one side is told to the other at once, and so is a reset: a client whose server was killed must not
// wait.
func splice(client, server *net.TCPConn) {
	var group sync.WaitGroup
	group.Go(func() { carry(server, client) })
	group.Go(func() { carry(client, server) })
	group.Wait()
	client.Close()
	server.Close()
}

func carry(to, from *net.TCPConn) {
	_, err := io.Copy(to, from)
	if err == nil {
		err = to.CloseWrite()
	}
	// A side that is closed already was reset by the other direction.
	if err != nil && !errors.Is(err, net.ErrClosed) {
		reset(to)
		reset(from)
	}
}

// reset ends a connection with RST, so that whoever is at its other end notices in the middle of whatever it does.
func reset(connection *net.TCPConn) {
	// Neither fails but on a closed connection.
	_ = connection.SetLinger(0)
	_ = connection.Close()
}
