package hub

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"time"

	"golang.org/x/mod/sumdb/note"

	"tambo/kiosk"
	"tambo/store/seal"
	"tambo/sync/wire"
)

// Keys are the hub's private keys. The hub itself works with Signing, the
// certificate authority and Matcher. The private keys of custodian and
// adjudicator may be kept elsewhere: take them out of the file, and leave their
// public halves.
type Keys struct {
	Name    string // of the hub, in its signatures and its log
	Signing ed25519.PrivateKey
	CA      *x509.Certificate
	CAKey   *ecdsa.PrivateKey
	// Recipients hold the public keys that packages are sealed to.
	Recipients []kiosk.Recipient
	// Private holds recipients' private keys by key id; the matcher's must be
	// there.
	Private map[string][]byte
}

// caYears is how long the certificate authority is valid. It is private to one
// hub and pinned by its kiosks; replacing it means provisioning them again.
const caYears = 20

// GenerateKeys makes the keys of a new hub.
func GenerateKeys(now time.Time) (*Keys, error) {
	pub, signing, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(pub)
	k := &Keys{Name: "tambo-hub-" + hex.EncodeToString(sum[:4]), Signing: signing, Private: map[string][]byte{}}
	for _, role := range []kiosk.RecipientRole{kiosk.RecipientMatcher, kiosk.RecipientCustodian, kiosk.RecipientAdjudicator} {
		private, public, err := seal.GenerateKey()
		if err != nil {
			return nil, err
		}
		id := seal.KeyID(public)
		k.Recipients = append(k.Recipients, kiosk.Recipient{Name: k.Name + " " + string(role), Role: role, KeyID: id, Key: public})
		k.Private[id] = private
	}
	if k.CAKey, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		return nil, err
	}
	t := &x509.Certificate{
		SerialNumber: serial(), Subject: pkix.Name{CommonName: k.Name + " authority"},
		NotBefore: now.Add(-time.Hour), NotAfter: now.AddDate(caYears, 0, 0),
		IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, t, t, k.CAKey.Public(), k.CAKey)
	if err != nil {
		return nil, fmt.Errorf("certificate authority: %w", err)
	}
	k.CA, err = x509.ParseCertificate(der)
	return k, err
}

func serial() *big.Int {
	var b [16]byte
	rand.Read(b[:])
	b[0] &= 0x7f
	return new(big.Int).SetBytes(b[:])
}

type keysJSON struct {
	Format     int               `json:"format"`
	Name       string            `json:"name"`
	Signing    []byte            `json:"signing"` // Ed25519 seed
	CA         []byte            `json:"ca"`
	CAKey      []byte            `json:"caKey"` // PKCS #8
	Recipients []kiosk.Recipient `json:"recipients"`
	Private    map[string][]byte `json:"private"`
}

// Marshal writes the keys as JSON. The result is as secret as the keys.
func (k *Keys) Marshal() ([]byte, error) {
	ck, err := x509.MarshalPKCS8PrivateKey(k.CAKey)
	if err != nil {
		return nil, err
	}
	return json.MarshalIndent(keysJSON{1, k.Name, k.Signing.Seed(), k.CA.Raw, ck, k.Recipients, k.Private}, "", " ")
}

// ParseKeys reads what [Keys.Marshal] wrote.
func ParseKeys(b []byte) (*Keys, error) {
	var j keysJSON
	if err := json.Unmarshal(b, &j); err != nil {
		return nil, fmt.Errorf("hub keys: %w", err)
	}
	if j.Format != 1 || len(j.Signing) != ed25519.SeedSize {
		return nil, errors.New("hub keys: not of this format")
	}
	k := &Keys{Name: j.Name, Signing: ed25519.NewKeyFromSeed(j.Signing), Recipients: j.Recipients, Private: j.Private}
	var err error
	if k.CA, err = x509.ParseCertificate(j.CA); err != nil {
		return nil, fmt.Errorf("hub keys: authority: %w", err)
	}
	ck, err := x509.ParsePKCS8PrivateKey(j.CAKey)
	if err != nil {
		return nil, fmt.Errorf("hub keys: authority's key: %w", err)
	}
	var ok bool
	if k.CAKey, ok = ck.(*ecdsa.PrivateKey); !ok || !k.CAKey.PublicKey.Equal(k.CA.PublicKey) {
		return nil, errors.New("hub keys: the authority's key is not its own")
	}
	matcher := k.recipient(kiosk.RecipientMatcher)
	if matcher == nil || k.Private[matcher.KeyID] == nil {
		return nil, errors.New("hub keys: the matcher's private key is missing: without it nothing can be matched")
	}
	for id, private := range k.Private {
		public, err := seal.PublicKey(private)
		if err != nil || seal.KeyID(public) != id {
			return nil, fmt.Errorf("hub keys: private key %s is not its own", id)
		}
	}
	return k, nil
}

func (k *Keys) recipient(role kiosk.RecipientRole) *kiosk.Recipient {
	for i := range k.Recipients {
		if k.Recipients[i].Role == role {
			return &k.Recipients[i]
		}
	}
	return nil
}

// VerifierKey returns the text that kiosks pin.
func (k *Keys) VerifierKey() string {
	s, err := wire.VerifierKey(k.Name, k.Signing.Public().(ed25519.PublicKey))
	if err != nil {
		panic("hub: " + err.Error()) // the name is ours, the key is of its size
	}
	return s
}

func (k *Keys) signer() note.Signer {
	s, err := wire.NewSigner(k.Name, k.Signing)
	if err != nil {
		panic("hub: " + err.Error())
	}
	return s
}
