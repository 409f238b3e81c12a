package store

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/sumdb/note"

	"tambo/kiosk"
	"tambo/store/internal/box"
	"tambo/store/internal/twin"
	"tambo/store/keyring"
	"tambo/store/seal"
)

const (
	idMagic = "tambo identity 1\n"
	idPage  = 32 << 10
)

// Identity is who this kiosk is and which hub it belongs to.
type Identity struct {
	Kiosk        kiosk.KioskID `json:"kiosk"`
	Site         string        `json:"site"`
	Training     bool          `json:"training,omitempty"`
	Hub          string        `json:"hub"`          // base URL
	HubKey       string        `json:"hubKey"`       // note verifier key: pinned
	CA           []byte        `json:"ca"`           // DER, the hub's authority: pinned
	Certificate  []byte        `json:"certificate"`  // DER, of the transport key
	TransportKey []byte        `json:"transportKey"` // PKCS #8, DER
}

// identity is what identity.tbl holds, sealed by the machine tier's index key.
// It stands outside vault.db so that a damaged index does not cost the kiosk its
// place at the hub.
type identity struct {
	Identity
	Seed    []byte `json:"seed"`    // of the signing key
	Receive []byte `json:"receive"` // public half of the receive key
}

func (i *identity) signing() ed25519.PrivateKey { return ed25519.NewKeyFromSeed(i.Seed) }

// hubKey returns the Ed25519 key inside the pinned note key.
func (i *Identity) hubKey() (ed25519.PublicKey, error) {
	if i.HubKey == "" {
		return nil, ErrNoIdentity
	}
	if _, err := note.NewVerifier(i.HubKey); err != nil {
		return nil, fmt.Errorf("hub key: %w", err)
	}
	_, rest, _ := strings.Cut(i.HubKey, "+")
	_, data, _ := strings.Cut(rest, "+")
	raw, err := base64.StdEncoding.DecodeString(data)
	if err != nil || len(raw) != 1+ed25519.PublicKeySize || raw[0] != 1 {
		return nil, errors.New("hub key: not an Ed25519 key")
	}
	return raw[1:], nil
}

// newIdentity makes the keys that never change: the index keys of both tiers,
// the receive key and the signing key.
func newIdentity(ring *keyring.Ring, s *keyring.Session) (identity, error) {
	private, public, err := seal.GenerateKey()
	if err != nil {
		return identity{}, err
	}
	receive := keyring.Key(private)
	clear(private)
	defer receive.Wipe()
	_, _, err = ring.NewKeys(s,
		keyring.Want{Tier: keyring.Machine, Use: keyring.UseIndex},
		keyring.Want{Tier: keyring.Subject, Use: keyring.UseIndex},
		keyring.Want{Tier: keyring.Subject, Use: keyring.UseReceive, Key: &receive})
	if err != nil {
		return identity{}, err
	}
	_, signing, err := ed25519.GenerateKey(nil)
	if err != nil {
		return identity{}, err
	}
	return identity{Seed: signing.Seed(), Receive: public}, nil
}

func writeIdentity(t *twin.File, ring *keyring.Ring, id identity) error {
	refs := ring.Find(keyring.Machine, keyring.UseIndex)
	if len(refs) != 1 {
		return errors.New("no index key")
	}
	key, err := ring.Key(refs[0], nil)
	if err != nil {
		return err
	}
	defer key.Wipe()
	body, err := json.Marshal(id)
	if err != nil {
		return err
	}
	return t.Write(map[int][]byte{1: box.Seal(key[:], box.Place(schema, idFile), body)})
}

func (v *Vault) openIdentity() (err error) {
	const do = "provision the kiosk again; drafts and sealed packages stay"
	if v.idTable, err = twin.Open(filepath.Join(v.dir, idFile), idMagic, idPage); err != nil {
		if errors.Is(err, os.ErrNotExist) || errors.Is(err, twin.ErrDamaged) {
			return &ErrDamaged{idFile, do, err}
		}
		return err
	}
	page, err := v.idTable.Page(1)
	if err != nil {
		return &ErrDamaged{idFile, do, err}
	}
	body, err := box.Open(v.machine[:], box.Place(schema, idFile), page)
	if err != nil {
		return &ErrDamaged{idFile, do, err}
	}
	if err := json.Unmarshal(body, &v.id); err != nil || len(v.id.Seed) != ed25519.SeedSize {
		return &ErrDamaged{idFile, do, fmt.Errorf("malformed: %w", err)}
	}
	return nil
}

// Identity returns who the kiosk is; [ErrNoIdentity] before it was provisioned.
func (v *Vault) Identity() (Identity, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.id.HubKey == "" {
		return Identity{}, ErrNoIdentity
	}
	return v.id.Identity, nil
}

// Kiosk returns the kiosk's id and site, empty before it was provisioned.
func (v *Vault) Kiosk() (kiosk.KioskID, string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.id.Kiosk, v.id.Site
}

// Provision makes the kiosk a kiosk of a hub. The first time it needs nobody;
// from then on only the certificate and the hub's address may change (a
// renewal), unless keeper holds the provisioning key.
func (v *Vault) Provision(id Identity, keeper *Operator) error {
	if err := id.Kiosk.Validate(); err != nil {
		return fmt.Errorf("provision: %w", err)
	}
	if _, err := id.hubKey(); err != nil {
		return fmt.Errorf("provision: %w", err)
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	renewal := id
	renewal.Hub, renewal.Certificate, renewal.TransportKey = v.id.Hub, v.id.Certificate, v.id.TransportKey
	old, err := json.Marshal(v.id.Identity)
	if err != nil {
		return err
	}
	fresh, err := json.Marshal(renewal)
	if err != nil {
		return err
	}
	if v.id.HubKey != "" && string(old) != string(fresh) && (keeper == nil || !keeper.s.Provisions()) {
		return fmt.Errorf("provision: %w: a keeper signs in to change the hub or the kiosk's name", ErrNotPermitted)
	}
	next := v.id
	next.Identity = id
	if err := writeIdentity(v.idTable, v.ring, next); err != nil {
		return fmt.Errorf("provision: %w", full(err))
	}
	v.id.Identity = id // the keys beside it are read without a lock and never change
	return nil
}
