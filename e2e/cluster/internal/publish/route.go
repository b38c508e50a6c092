// Package publish shows ports of the cluster on the machine: it listens outside and dials inside.
package publish

import (
	"fmt"
	"net"
	"strconv"
	"strings"
)

// Service names a port of a Service.
type Service struct {
	Namespace string
	Name      string
	Port      int
}

// Route leads a host name to a Service. One * in Host stands for one or more characters without a dot; a * in the
// Service's name stands for the same ones.
type Route struct {
	Host    string
	Service Service
}

// ParseRoute reads HOST=NAMESPACE/SERVICE:PORT.
func ParseRoute(text string) (Route, error) {
	wrong := fmt.Errorf("%q is no route: write HOST=NAMESPACE/SERVICE:PORT, such as *.files.localhost=disk/pod-*:80", text)
	host, target, found := strings.Cut(text, "=")
	if !found || host == "" || strings.Count(host, "*") > 1 {
		return Route{}, wrong
	}
	namespace, rest, found := strings.Cut(target, "/")
	if !found || namespace == "" {
		return Route{}, wrong
	}
	name, portText, found := strings.Cut(rest, ":")
	if !found || name == "" || strings.Count(name, "*") > strings.Count(host, "*") {
		return Route{}, wrong
	}
	port, err := strconv.ParseUint(portText, 10, 16)
	if err != nil || port == 0 {
		return Route{}, wrong
	}
	return Route{
		Host:    strings.ToLower(host),
		Service: Service{Namespace: namespace, Name: name, Port: int(port)},
	}, nil
}

// String is what ParseRoute reads.
func (r Route) String() string { return r.Host + "=" + r.Service.String() }

// String is NAMESPACE/SERVICE:PORT.
func (s Service) String() string { return fmt.Sprintf("%s/%s:%d", s.Namespace, s.Name, s.Port) }

// Choose finds the Service of a Host header. A name without a * goes before one with.
func Choose(routes []Route, header string) (Service, bool) {
	host := hostOf(header)
	for _, route := range routes {
		if route.Host == host {
			return route.Service, true
		}
	}
	for _, route := range routes {
		before, after, wild := strings.Cut(route.Host, "*")
		if !wild || len(host) <= len(before)+len(after) ||
			!strings.HasPrefix(host, before) || !strings.HasSuffix(host, after) {
			continue
		}
		part := host[len(before) : len(host)-len(after)]
		if strings.Contains(part, ".") {
			continue
		}
		service := route.Service
		service.Name = strings.Replace(service.Name, "*", part, 1)
		return service, true
	}
	return Service{}, false
}

// hostOf is the name in a Host header, without port and without the dot of the root.
func hostOf(header string) string {
	host := header
	if name, _, err := net.SplitHostPort(header); err == nil {
		host = name
	}
	return strings.TrimSuffix(strings.ToLower(host), ".")
}
