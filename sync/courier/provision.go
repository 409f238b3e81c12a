package courier

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"tambo/store"
	"tambo/store/seal"
	"tambo/sync/wire"
)

// Provision makes this kiosk a kiosk of the hub at an address, with a one-time
// code. The hub is known by the code before anything is sent. When the answer is
// lost, or the kiosk dies, the same call gets it again: the keys, and so the
// request, are functions of the code and the kiosk's signing key. A kiosk that
// has a hub already needs its keeper.
func (c *Courier) Provision(ctx context.Context, code, hub string, keeper *Operator) (Identity, error) {
	c.round.Lock()
	defer c.round.Unlock()
	key, err := wire.ParseCode(code)
	if err != nil {
		return Identity{}, err
	}
	u, err := checkURL(hub)
	if err != nil {
		return Identity{}, err
	}
	transport := c.transportKey(key)
	req, err := c.request(key, transport)
	if err != nil {
		return Identity{}, err
	}
	body, err := json.Marshal(req)
	if err != nil {
		return Identity{}, err
	}
	h := client(pinned(key.Fingerprint, c.c.Now), c.c.Stall)
	defer h.CloseIdleConnections()
	l := link{h, u}
	var a wire.ProvisionAnswer
	if err := l.call(ctx, "POST", wire.RouteProvision, "", wire.TypeJSON, body, &a); err != nil {
		return Identity{}, &Error{Cause: causeOf(err), Hub: u.Host, Err: err}
	}
	if err := checkAnswer(&a, key, transport, c.c.Now()); err != nil {
		return Identity{}, &Error{Cause: CauseAnswer, Hub: u.Host, Err: err}
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(transport)
	if err != nil {
		return Identity{}, err
	}
	id := Identity{
		Hub: u.String(), Kiosk: a.Kiosk, Site: a.Site, Training: a.Training, HubKey: a.HubKey, CA: a.CA,
		Certificate: a.Certificate, TransportKey: pkcs8,
	}
	if err := c.c.Vault.Provision(id, keeper); err != nil {
		return Identity{}, err
	}
	for _, d := range [][]byte{a.Time, a.Agreement, a.Roster} {
		if _, err := c.c.Vault.PutDocument(d); err != nil && !errors.Is(err, store.ErrRollback) { // else: a round came between
			return Identity{}, err
		}
	}
	return id, nil
}

// transportKey makes the key of the certificate that a code is for. It is as
// secret as the signing key: a signature that is never sent is its seed.
func (c *Courier) transportKey(code wire.CodeKey) ed25519.PrivateKey {
	seed := sha256.Sum256(c.c.Vault.Sign([]byte("tambo transport key 1\n" + code.String())))
	return ed25519.NewKeyFromSeed(seed[:])
}

// request makes the provisioning request. Ed25519 signs without randomness, so
// that the same code gives the same bytes.
func (c *Courier) request(code wire.CodeKey, transport ed25519.PrivateKey) (*wire.ProvisionRequest, error) {
	csr, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, transport)
	if err != nil {
		return nil, err
	}
	pub, receive := c.c.Vault.PublicKey(), c.c.Vault.ReceiveKey()
	return &wire.ProvisionRequest{
		Code: code.String(), Request: csr, SigningKey: pub, ReceiveKey: receive,
		Proof: c.c.Vault.Sign(wire.ProvisionProof(csr, pub, receive)),
	}, nil
}

// checkAnswer holds the answer against the code and the keys before anything of
// it is kept.
func checkAnswer(a *wire.ProvisionAnswer, code wire.CodeKey, transport ed25519.PrivateKey, now time.Time) error {
	if wire.Fingerprint(a.CA) != code.Fingerprint {
		return errFingerprint
	}
	if err := checkCert(a.CA, a.Certificate, transport, now); err != nil {
		return err
	}
	_, pub, err := wire.ParseVerifierKey(a.HubKey)
	if err != nil {
		return err
	}
	for kind, signed := range map[string][]byte{seal.KindAgreement: a.Agreement, seal.KindRoster: a.Roster, seal.KindTime: a.Time} {
		d, _, err := seal.OpenDocument(signed, pub)
		if err != nil {
			return fmt.Errorf("%w: %s: %w", ErrAnswer, kind, err)
		}
		if d.Kind != kind {
			return fmt.Errorf("%w: a document %s where %s belongs", ErrAnswer, d.Kind, kind)
		}
	}
	return nil
}

// checkCert insists that a certificate is by the authority and of our key.
func checkCert(ca, cert []byte, transport ed25519.PrivateKey, now time.Time) error {
	root, err := x509.ParseCertificate(ca)
	if err != nil {
		return fmt.Errorf("%w: authority: %w", ErrAnswer, err)
	}
	leaf, err := x509.ParseCertificate(cert)
	if err != nil {
		return fmt.Errorf("%w: certificate: %w", ErrAnswer, err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(root)
	opts := x509.VerifyOptions{Roots: pool, CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}
	if _, err := leaf.Verify(opts); err != nil {
		return fmt.Errorf("%w: certificate: %w", ErrAnswer, err)
	}
	if !transport.Public().(ed25519.PublicKey).Equal(leaf.PublicKey) {
		return fmt.Errorf("%w: the certificate is not of this kiosk's key", ErrAnswer)
	}
	return nil
}

// renew gets a new certificate when a third of the old one's life is left.
func (r *rounder) renew(ctx context.Context) error {
	leaf, err := x509.ParseCertificate(r.id.Certificate)
	if err != nil {
		return inVault(err)
	}
	now := r.c.c.Now()
	if now.Before(leaf.NotAfter.Add(-leaf.NotAfter.Sub(leaf.NotBefore) / 3)) {
		return nil
	}
	key, err := x509.ParsePKCS8PrivateKey(r.id.TransportKey)
	if err != nil {
		return inVault(err)
	}
	transport, ok := key.(ed25519.PrivateKey)
	if !ok {
		return inVault(errors.New("transport key: want Ed25519"))
	}
	csr, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, transport)
	if err != nil {
		return err
	}
	body, err := json.Marshal(wire.RenewRequest{Request: csr})
	if err != nil {
		return err
	}
	var a wire.RenewAnswer
	if err := r.call(ctx, "POST", wire.RouteRenew, "", wire.TypeJSON, body, &a); err != nil {
		return err
	}
	if err := checkCert(r.id.CA, a.Certificate, transport, now); err != nil {
		return err
	}
	id := r.id
	id.Certificate = a.Certificate
	return inVault(r.c.c.Vault.Provision(id, nil))
}

// Say tells the hub what became of an alert. It fails while there is no road;
// the caller says it again.
func (c *Courier) Say(ctx context.Context, w wire.AlertWord) error {
	c.round.Lock()
	defer c.round.Unlock()
	r, err := c.prepare(ctx)
	if err != nil {
		return err
	}
	body, err := json.Marshal(w)
	if err != nil {
		return err
	}
	if err := r.call(ctx, "POST", wire.RouteAlerts, "", wire.TypeJSON, body, nil); err != nil {
		return &Error{Cause: causeOf(err), Hub: r.hub.Host, Err: err}
	}
	return nil
}
