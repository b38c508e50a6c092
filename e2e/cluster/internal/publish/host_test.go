package publish

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

func TestReadHost(t *testing.T) {
	long := strings.Repeat("a", 60<<10)
	for name, one := range map[string]struct {
		head string
		host string
		err  error
	}{
		"first":          {"GET / HTTP/1.1\r\nHost: a.localhost:8080\r\n\r\n", "a.localhost:8080", nil},
		"later":          {"GET / HTTP/1.1\r\nAccept: */*\r\nhost:a.localhost\r\n\r\n", "a.localhost", nil},
		"before the end": {"PUT / HTTP/1.1\r\nHOST:  a \r\nX: ", "a", nil},
		"bare newlines":  {"GET / HTTP/1.0\nHost: a\n\n", "a", nil},
		"long":           {"GET /" + long + " HTTP/1.1\r\nHost: a\r\n\r\n", "a", nil},
		"in the target":  {"Host: a\r\nAccept: */*\r\n\r\n", "", errNoHost},
		"none":           {"GET / HTTP/1.1\r\nAccept: */*\r\n\r\nHost: a\r\n", "", errNoHost},
		"cut short":      {"GET / HTTP/1.1\r\nHost: a", "", io.EOF},
		"endless":        {"GET /" + long + long, "", errTooLong},
	} {
		for how, reader := range map[string]io.Reader{
			"at once":     strings.NewReader(one.head),
			"by the byte": iotest.OneByteReader(strings.NewReader(one.head)),
		} {
			host, read, err := readHost(reader)
			if host != one.host || !errors.Is(err, one.err) {
				t.Errorf("%s, %s: host %q, error %v", name, how, host, err)
			}
			if !strings.HasPrefix(one.head, string(read)) || err == nil && len(read) == 0 {
				t.Errorf("%s, %s: what was read is not what was sent", name, how)
			}
		}
	}
}
