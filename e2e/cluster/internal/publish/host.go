package publish

import (
	"bytes"
	"errors"
	"io"
	"strings"
)

// mostHead is how much of a request is read to find its Host header.
const mostHead = 64 << 10

var (
	errNoHost  = errors.New("no Host header")
	errTooLong = errors.New("the head of the request is too long")
)

// readHost reads a request's head as far as its Host header, and returns what it has read too.
func readHost(from io.Reader) (host string, read []byte, err error) {
	buffer := make([]byte, 0, 2<<10)
	for {
		if len(buffer) == cap(buffer) {
			buffer = append(buffer, 0)[:len(buffer)]
		}
		count, err := from.Read(buffer[len(buffer):cap(buffer)])
		buffer = buffer[:len(buffer)+count]
		host, found, done := findHost(buffer)
		switch {
		case found:
			return host, buffer, nil
		case done:
			return "", buffer, errNoHost
		case err != nil:
			return "", buffer, err
		case len(buffer) >= mostHead:
			return "", buffer, errTooLong
		}
	}
}

// findHost looks for the header in the complete lines of a head that may go on.
func findHost(head []byte) (host string, found, done bool) {
	for first := true; ; first = false {
		line, rest, complete := bytes.Cut(head, []byte("\n"))
		if !complete {
			return "", false, false
		}
		head = rest
		text := strings.TrimRight(string(line), "\r")
		if text == "" {
			return "", false, true
		}
		name, value, isHeader := strings.Cut(text, ":")
		if !first && isHeader && strings.EqualFold(name, "host") {
			return strings.TrimSpace(value), true, true
		}
	}
}
