package publish

import "testing"

func TestParseRoute(t *testing.T) {
	for _, text := range []string{
		"disk.localhost=disk/demo-web:80",
		"*.files.localhost=disk/demo-disk-*:80",
		"*.files.localhost=disk/demo-disk:8443",
	} {
		route, err := ParseRoute(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
		} else if route.String() != text {
			t.Errorf("%s is read as %s", text, route)
		}
	}
	for _, text := range []string{
		"", "disk.localhost", "=disk/web:80", "disk.localhost=web:80", "disk.localhost=/web:80",
		"disk.localhost=disk/web", "disk.localhost=disk/:80", "disk.localhost=disk/web:0",
		"disk.localhost=disk/web:65536", "disk.localhost=disk/web:http", "disk.localhost=disk/web-*:80",
		"*.*.localhost=disk/web-*:80",
	} {
		if route, err := ParseRoute(text); err == nil {
			t.Errorf("%q is taken for %s", text, route)
		}
	}
}

func TestChoose(t *testing.T) {
	var routes []Route
	for _, text := range []string{
		"*.files.localhost=disk/demo-disk-*:80",
		"any.files.localhost=disk/demo-disk:80",
		"disk.localhost=disk/demo-web:80",
	} {
		route, err := ParseRoute(text)
		if err != nil {
			t.Fatal(err)
		}
		routes = append(routes, route)
	}
	for header, want := range map[string]string{
		"disk.localhost":             "disk/demo-web:80",
		"disk.localhost:8080":        "disk/demo-web:80",
		"DISK.Localhost:8080":        "disk/demo-web:80",
		"disk.localhost.":            "disk/demo-web:80",
		"0.files.localhost:8080":     "disk/demo-disk-0:80",
		"12.files.localhost":         "disk/demo-disk-12:80",
		"any.files.localhost":        "disk/demo-disk:80",
		"files.localhost":            "",
		".files.localhost":           "",
		"a.0.files.localhost":        "",
		"other.localhost":            "",
		"":                           "",
		"[::1]:8080":                 "",
		"0.files.localhost.evil.org": "",
	} {
		service, found := Choose(routes, header)
		if found != (want != "") || found && service.String() != want {
			t.Errorf("%q leads to %s (%v), not to %q", header, service, found, want)
		}
	}
}
