// Package pki makes the keys and certificates of a cluster.
package pki

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

const (
	lifetime = 365 * 24 * time.Hour
	// renewBefore is how much of its lifetime a certificate must have left to be kept.
	renewBefore = 30 * 24 * time.Hour
)

// Authority signs the certificates of one cluster, in one directory: NAME.crt and NAME.key.
type Authority struct {
	directory   string
	certificate *x509.Certificate
	key         crypto.Signer
}

// Subject is whom a certificate is for.
type Subject struct {
	Name   string
	User   string
	Groups []string
	Hosts  []string
	IPs    []string
}

// Open loads the authority of a directory, or makes one.
func Open(directory string) (*Authority, error) {
	if err := os.MkdirAll(directory, 0o700); err != nil {
		return nil, err
	}
	a := &Authority{directory: directory}
	certificate, key, err := a.load("ca")
	if err != nil {
		return nil, err
	}
	if certificate != nil {
		a.certificate, a.key = certificate, key
		return a, nil
	}
	template := &x509.Certificate{
		Subject:               pkix.Name{CommonName: "internet-disk-test-cluster"},
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
		BasicConstraintsValid: true,
		IsCA:                  true,
	}
	if a.key, err = a.write("ca", template, nil, nil); err != nil {
		return nil, err
	}
	a.certificate, _, err = a.load("ca")
	return a, err
}

// Certificate is the path of the authority's own certificate.
func (a *Authority) Certificate() string { return filepath.Join(a.directory, "ca.crt") }

// Issue makes NAME.crt and NAME.key, unless good ones are there.
func (a *Authority) Issue(subject Subject) error {
	existing, _, err := a.load(subject.Name)
	if err != nil {
		return err
	}
	// One whose authority was made anew since is of no use.
	if existing != nil && existing.CheckSignatureFrom(a.certificate) == nil && covers(existing, subject) {
		return nil
	}
	template := &x509.Certificate{
		Subject:     pkix.Name{CommonName: subject.User, Organization: subject.Groups},
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		DNSNames:    subject.Hosts,
	}
	for _, text := range subject.IPs {
		ip := net.ParseIP(text)
		if ip == nil {
			return fmt.Errorf("certificate of %s: %q is no address", subject.Name, text)
		}
		template.IPAddresses = append(template.IPAddresses, ip)
	}
	_, err = a.write(subject.Name, template, a.certificate, a.key)
	return err
}

func covers(certificate *x509.Certificate, subject Subject) bool {
	for _, name := range append(append([]string{}, subject.Hosts...), subject.IPs...) {
		if certificate.VerifyHostname(name) != nil {
			return false
		}
	}
	return certificate.Subject.CommonName == subject.User
}

// ServiceAccountKey makes the key pair that signs the tokens of service accounts: sa.key and sa.pub.
func (a *Authority) ServiceAccountKey() error {
	private := filepath.Join(a.directory, "sa.key")
	if _, err := os.Stat(private); err == nil {
		return nil
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return err
	}
	public, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		return err
	}
	if err := writePEM(filepath.Join(a.directory, "sa.pub"), "PUBLIC KEY", public); err != nil {
		return err
	}
	return writePEM(private, "RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(key))
}

// load reads a pair. It is nil when there is none, or when it expires soon.
func (a *Authority) load(name string) (*x509.Certificate, crypto.Signer, error) {
	pair := [2][]byte{}
	for i, suffix := range []string{".crt", ".key"} {
		content, err := os.ReadFile(filepath.Join(a.directory, name+suffix))
		if errors.Is(err, fs.ErrNotExist) {
			return nil, nil, nil
		}
		if err != nil {
			return nil, nil, err
		}
		block, _ := pem.Decode(content)
		if block == nil {
			// Whoever was killed while writing left half a file.
			return nil, nil, nil
		}
		pair[i] = block.Bytes
	}
	certificate, err := x509.ParseCertificate(pair[0])
	if err != nil {
		return nil, nil, fmt.Errorf("%s.crt: %w", name, err)
	}
	key, err := x509.ParseECPrivateKey(pair[1])
	if err != nil {
		return nil, nil, fmt.Errorf("%s.key: %w", name, err)
	}
	if !key.PublicKey.Equal(certificate.PublicKey) || time.Until(certificate.NotAfter) < renewBefore {
		return nil, nil, nil
	}
	return certificate, key, nil
}

// write signs a template with a new key. Without an issuer, with the key itself.
func (a *Authority) write(name string, template, issuer *x509.Certificate, signer crypto.Signer) (crypto.Signer, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	if issuer == nil {
		issuer, signer = template, key
	}
	if template.SerialNumber, err = rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120)); err != nil {
		return nil, err
	}
	now := time.Now()
	template.NotBefore, template.NotAfter = now.Add(-time.Hour), now.Add(lifetime)
	der, err := x509.CreateCertificate(rand.Reader, template, issuer, key.Public(), signer)
	if err != nil {
		return nil, fmt.Errorf("certificate of %s: %w", name, err)
	}
	private, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return nil, err
	}
	if err := writePEM(filepath.Join(a.directory, name+".key"), "EC PRIVATE KEY", private); err != nil {
		return nil, err
	}
	return key, writePEM(filepath.Join(a.directory, name+".crt"), "CERTIFICATE", der)
}

func writePEM(path, kind string, der []byte) error {
	return os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600)
}
