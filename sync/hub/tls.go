package hub

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"time"

	"tambo/kiosk"
	"tambo/sync/wire"
)

// Lives of certificates. A kiosk renews when a third of the life is left.
const (
	kioskCertLife  = 2 * 365 * 24 * time.Hour
	serverCertLife = 90 * 24 * time.Hour
)

// kioskURI is the name of a kiosk in its certificate (RFC 5280, 4.2.1.6).
const kioskURI = "tambo:kiosk:"

// serverCert makes and renews the hub's own certificate. Its key lives in
// memory only: kiosks pin the authority.
type serverCert struct {
	keys *Keys
	now  func() time.Time

	mu   sync.Mutex
	cert *tls.Certificate
}

func (s *serverCert) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	if s.cert != nil && now.Before(s.cert.Leaf.NotAfter.Add(-serverCertLife/3)) {
		return s.cert, nil
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	t := &x509.Certificate{
		SerialNumber: serial(), Subject: pkix.Name{CommonName: wire.ServerName}, DNSNames: []string{wire.ServerName},
		// A kiosk's clock may be slow; a day is what it is allowed to be off.
		NotBefore: now.Add(-24 * time.Hour), NotAfter: now.Add(serverCertLife),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, t, s.keys.CA, key.Public(), s.keys.CAKey)
	if err != nil {
		return nil, err
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	// The authority travels along: a kiosk that is being provisioned knows it by
	// its fingerprint only.
	s.cert = &tls.Certificate{Certificate: [][]byte{der, s.keys.CA.Raw}, PrivateKey: key, Leaf: leaf}
	return s.cert, nil
}

// TLS returns the server's configuration: TLS 1.3 only, client certificates of
// this hub's authority. A client without one reaches provisioning only.
func (h *Hub) TLS() *tls.Config {
	pool := x509.NewCertPool()
	pool.AddCert(h.keys.CA)
	cert := &serverCert{keys: h.keys, now: h.now}
	return &tls.Config{
		MinVersion: tls.VersionTLS13, ClientAuth: tls.VerifyClientCertIfGiven, ClientCAs: pool,
		GetCertificate: cert.get, NextProtos: []string{"http/1.1"}, Time: h.now,
	}
}

// issue makes a kiosk's certificate for the key of a certificate request. Of
// the request only the key is used: the name is the hub's to give.
func (h *Hub) issue(id kiosk.KioskID, request []byte) ([]byte, error) {
	csr, err := x509.ParseCertificateRequest(request)
	if err != nil {
		return nil, wire.NewProblem(wire.CodeMessage, "certificate request: %v", err)
	}
	if err := csr.CheckSignature(); err != nil {
		return nil, wire.NewProblem(wire.CodeMessage, "certificate request: %v", err)
	}
	if err := strongKey(csr.PublicKey); err != nil {
		return nil, err
	}
	now := h.now()
	t := &x509.Certificate{
		SerialNumber: serial(), Subject: pkix.Name{CommonName: string(id)}, URIs: []*url.URL{{Scheme: "tambo", Opaque: "kiosk:" + string(id)}},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(kioskCertLife),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, t, h.keys.CA, csr.PublicKey, h.keys.CAKey)
	if err != nil {
		return nil, fmt.Errorf("issuing a certificate: %w", err)
	}
	return der, nil
}

// strongKey admits Ed25519 and the NIST curves from P-256.
func strongKey(pub crypto.PublicKey) error {
	switch k := pub.(type) {
	case *ecdsa.PublicKey:
		if k.Curve.Params().BitSize >= 256 {
			return nil
		}
	case ed25519.PublicKey:
		return nil
	}
	return wire.NewProblem(wire.CodeMessage, "transport key: want ECDSA P-256 or better, or Ed25519")
}

// kioskOf returns the kiosk that a verified client certificate names.
func kioskOf(cert *x509.Certificate) (kiosk.KioskID, bool) {
	if len(cert.URIs) != 1 {
		return "", false
	}
	name, ok := strings.CutPrefix(cert.URIs[0].String(), kioskURI)
	id := kiosk.KioskID(name)
	return id, ok && id.Validate() == nil
}
