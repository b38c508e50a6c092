package pki

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"testing"
)

func node(ips ...string) Subject {
	return Subject{
		Name: "node1", User: "system:node:node1", Groups: []string{"system:nodes"},
		Hosts: []string{"node1"}, IPs: ips,
	}
}

func issue(t *testing.T, directory string, subject Subject) []byte {
	t.Helper()
	authority, err := Open(directory)
	if err != nil {
		t.Fatal(err)
	}
	if err := authority.Issue(subject); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(filepath.Join(directory, subject.Name+".crt"))
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func certificate(t *testing.T, content []byte) *x509.Certificate {
	t.Helper()
	block, _ := pem.Decode(content)
	if block == nil {
		t.Fatal("no PEM")
	}
	parsed, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

func TestCertificatesAreOfTheAuthority(t *testing.T) {
	directory := t.TempDir()
	issued := certificate(t, issue(t, directory, node("10.99.0.11")))
	authority, err := Open(directory)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(authority.certificate)
	for _, name := range []string{"node1", "10.99.0.11"} {
		for _, usage := range []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth} {
			options := x509.VerifyOptions{Roots: roots, DNSName: name, KeyUsages: []x509.ExtKeyUsage{usage}}
			if _, err := issued.Verify(options); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	if issued.Subject.CommonName != "system:node:node1" || issued.Subject.Organization[0] != "system:nodes" || issued.IsCA {
		t.Errorf("the subject is %v", issued.Subject)
	}
}

func TestGoodCertificatesAreKept(t *testing.T) {
	directory := t.TempDir()
	first := issue(t, directory, node("10.99.0.11"))
	if !bytes.Equal(first, issue(t, directory, node("10.99.0.11"))) {
		t.Error("the same subject gets a new certificate")
	}
	if bytes.Equal(first, issue(t, directory, node("10.99.0.11", "10.99.0.12"))) {
		t.Error("a new address is not in the certificate")
	}
}

func TestWhatIsSpoiltIsMadeAnew(t *testing.T) {
	for _, name := range []string{"node1.key", "node1.crt", "ca.key", "ca.crt"} {
		directory := t.TempDir()
		first := issue(t, directory, node())
		if err := os.Truncate(filepath.Join(directory, name), 10); err != nil {
			t.Fatal(err)
		}
		second := issue(t, directory, node())
		if bytes.Equal(first, second) {
			t.Errorf("half of %s is taken for whole", name)
		}
		authority, err := Open(directory)
		if err != nil {
			t.Fatal(err)
		}
		if err := certificate(t, second).CheckSignatureFrom(authority.certificate); err != nil {
			t.Errorf("after half of %s: %v", name, err)
		}
	}
}

func TestKeysAreForTheirOwnerOnly(t *testing.T) {
	directory := t.TempDir()
	issue(t, directory, node())
	authority, err := Open(directory)
	if err != nil {
		t.Fatal(err)
	}
	if err := authority.ServiceAccountKey(); err != nil {
		t.Fatal(err)
	}
	keys, err := filepath.Glob(filepath.Join(directory, "*.key"))
	if err != nil || len(keys) != 3 {
		t.Fatalf("keys are %v, %v", keys, err)
	}
	for _, key := range keys {
		if info, err := os.Stat(key); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", key, info.Mode(), err)
		}
	}
}
