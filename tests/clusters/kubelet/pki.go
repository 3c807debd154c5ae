// SPDX-License-Identifier: Apache-2.0

package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// A certificate of the cluster, and for how long it is good; `before` is negative when it is over.
type identity struct {
	file   string
	name   string
	groups []string
	server bool
	life   time.Duration
}

const years = 365 * 24 * time.Hour

var identities = []identity{
	{"apiserver", "kube-apiserver", nil, true, 10 * years},
	{"apiserver-expired", "kube-apiserver", nil, true, -time.Hour},
	{"apiserver-kubelet-client", "kube-apiserver-kubelet-client", []string{"system:masters"}, false, 10 * years},
	{"controller-manager", "system:kube-controller-manager", []string{"system:masters"}, false, 10 * years},
	{"kubelet", "test-kubelet", []string{"system:masters"}, true, 10 * years},
	{"admin", "admin", []string{"system:masters"}, false, 10 * years},
	{"restricted", "restricted", nil, false, 10 * years},
	{"expired", "admin", []string{"system:masters"}, false, -time.Hour},
}

type authority struct {
	certificate *x509.Certificate
	key         crypto.Signer
}

// makePKI writes the authority, the key that signs tokens of service accounts, and the
// certificates of all parts and users into a folder.
func makePKI(folder string, nodeIP net.IP) error {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	issuer, err := newAuthority(filepath.Join(folder, "ca"))
	if err != nil {
		return err
	}
	if err := writeServiceAccountKey(folder); err != nil {
		return err
	}
	user, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return err
	}
	for _, one := range identities {
		if err := issuer.issue(filepath.Join(folder, one.file), &one, nodeIP, user); err != nil {
			return err
		}
	}
	// whom no cluster of ours knows
	stranger, err := newAuthority(filepath.Join(folder, "stranger-ca"))
	if err != nil {
		return err
	}
	return stranger.issue(filepath.Join(folder, "stranger"), &identity{name: "admin", groups: []string{"system:masters"}, life: years}, nodeIP, user)
}

func template(name string, life time.Duration) (*x509.Certificate, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, err
	}
	moment := time.Now()
	return &x509.Certificate{SerialNumber: serial, Subject: pkix.Name{CommonName: name},
		NotBefore: moment.Add(-24 * time.Hour), NotAfter: moment.Add(life)}, nil
}

func newAuthority(path string) (*authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	about, err := template("sparkhost test cluster", 10*years)
	if err != nil {
		return nil, err
	}
	about.IsCA, about.BasicConstraintsValid = true, true
	about.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature | x509.KeyUsageCRLSign
	der, err := x509.CreateCertificate(rand.Reader, about, about, key.Public(), key)
	if err != nil {
		return nil, err
	}
	if err := writePair(path, der, key); err != nil {
		return nil, err
	}
	certificate, err := x509.ParseCertificate(der)
	return &authority{certificate, key}, err
}

// issue gives users one key, an RSA one, as it takes its time and Spark's client reads no other.
func (a *authority) issue(path string, one *identity, nodeIP net.IP, user *rsa.PrivateKey) error {
	var key crypto.Signer = user
	if one.server {
		made, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			return err
		}
		key = made
	}
	about, err := template(one.name, one.life)
	if err != nil {
		return err
	}
	about.Subject.Organization = one.groups
	about.KeyUsage = x509.KeyUsageDigitalSignature
	about.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	if one.server {
		about.ExtKeyUsage = append(about.ExtKeyUsage, x509.ExtKeyUsageServerAuth)
		about.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1), net.IPv4(10, 96, 0, 1), nodeIP, serviceIP(nodeIP)}
		about.DNSNames = []string{"localhost", "kubernetes.default.svc", "kubernetes.default", "kubernetes"}
	}
	der, err := x509.CreateCertificate(rand.Reader, about, a.certificate, key.Public(), a.key)
	if err != nil {
		return err
	}
	return writePair(path, der, key)
}

// The API server's second address, beside the node's.
func serviceIP(node net.IP) net.IP {
	address := append(net.IP(nil), node.To4()...)
	address[3]++
	return address
}

func writePair(path string, certificate []byte, key crypto.Signer) error {
	if err := writePEM(path+".crt", "CERTIFICATE", certificate, 0o644); err != nil {
		return err
	}
	return writeKey(path+".key", key)
}

func writeKey(path string, key crypto.Signer) error {
	if pair, is := key.(*rsa.PrivateKey); is {
		return writePEM(path, "RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(pair), 0o600)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	return writePEM(path, "PRIVATE KEY", der, 0o600)
}

func writeServiceAccountKey(folder string) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return err
	}
	if err := writePEM(filepath.Join(folder, "service-accounts.pub"), "PUBLIC KEY", der, 0o644); err != nil {
		return err
	}
	return writeKey(filepath.Join(folder, "service-accounts.key"), key)
}

func writePEM(path, kind string, der []byte, mode os.FileMode) error {
	return os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), mode)
}
