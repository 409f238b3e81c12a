package hub

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/mod/sumdb/note"

	"tambo/kiosk"
	"tambo/kiosk/policy"
	"tambo/store/seal"
)

// Errors of a hub as a whole.
var (
	// ErrNotInit: the store is not that of a hub.
	ErrNotInit = errors.New("this store holds no hub")
	// ErrInit: the store is that of a hub already.
	ErrInit = errors.New("this store holds a hub already")
	// ErrArgument: an order of the keeper cannot be carried out as given.
	ErrArgument = errors.New("cannot do that")
)

// Config is what a hub is made of.
type Config struct {
	Store Store
	Keys  *Keys
	Now   func() time.Time // nil: time.Now
	Log   *slog.Logger     // nil: nothing is logged
}

// Hub is a hub over a store. Its methods may be called concurrently; [Hub.Run]
// must run for anything to be matched.
type Hub struct {
	store    Store
	keys     *Keys
	signer   note.Signer
	now      func() time.Time
	log      *slog.Logger
	training bool

	limit  limiter
	wake   chan struct{} // a job may be there
	search searcher
	load   sync.Mutex // guards loading of search
	loaded bool
}

// Init makes the store that of a new hub. With training it writes and signs the
// training agreement and a roster of its own; otherwise the hub waits for an
// agreement before it provisions anybody.
func Init(ctx context.Context, s Store, k *Keys, training bool, now time.Time) error {
	return s.Update(ctx, func(tx Tx) error {
		if _, err := meta(tx); err == nil {
			return ErrInit
		} else if !errors.Is(err, ErrNotFound) {
			return err
		}
		m := &metaHub{Format: 1, Training: training, Created: now.UTC()}
		roster := kiosk.Roster{Version: 1}
		if training {
			roster.Operators = []kiosk.Operator{
				{Label: "of-1", Role: kiosk.RoleOfficer}, {Label: "of-2", Role: kiosk.RoleOfficer},
				{Label: "su-1", Role: kiosk.RoleSupervisor}, {Label: "te-1", Role: kiosk.RoleTechnician}, {Label: "ke-1", Role: kiosk.RoleKeeper},
			}
			if err := putAgreement(tx, m, k, policy.TrainingAgreement(k.Recipients, now), now); err != nil {
				return err
			}
		}
		if err := putRoster(m, k, roster, now); err != nil {
			return err
		}
		return setMeta(tx, m)
	})
}

// New returns the hub of a store that [Init] made.
func New(ctx context.Context, c Config) (*Hub, error) {
	h := &Hub{store: c.Store, keys: c.Keys, signer: c.Keys.signer(), now: c.Now, log: c.Log, wake: make(chan struct{}, 1)}
	if h.now == nil {
		h.now = time.Now
	}
	if h.log == nil {
		h.log = slog.New(slog.DiscardHandler)
	}
	h.search = newSearcher()
	err := h.store.View(ctx, func(tx Tx) error {
		m, err := meta(tx)
		if errors.Is(err, ErrNotFound) {
			return ErrNotInit
		}
		if err != nil {
			return err
		}
		if m.Format != 1 {
			return fmt.Errorf("the store has format %d; this program knows 1", m.Format)
		}
		h.training = m.Training
		return nil
	})
	if err != nil {
		return nil, err
	}
	return h, nil
}

// Training reports whether this is a training hub.
func (h *Hub) Training() bool { return h.training }

// putAgreement signs an agreement and puts it in force. Packages under earlier
// ones are taken all the same.
func putAgreement(tx Tx, m *metaHub, k *Keys, a kiosk.Agreement, now time.Time) error {
	if err := policy.Check(&a); err != nil {
		return err
	}
	if a.Training != m.Training {
		return fmt.Errorf("%w: agreement %q and hub differ about training", ErrArgument, a.ID)
	}
	if m.Agreement != "" {
		old, err := agreement(tx, k, m.Agreement)
		if err != nil {
			return err
		}
		if a.Version <= old.Version {
			return fmt.Errorf("%w: agreement version %d is not newer than %d, which is in force", ErrArgument, a.Version, old.Version)
		}
	}
	body, err := json.Marshal(a)
	if err != nil {
		return err
	}
	signed, err := seal.SignDocument(seal.Document{
		Kind: seal.KindAgreement, Version: a.Version, Issued: now, NotBefore: a.NotBefore, Expires: a.Expires, Body: body,
	}, k.Signing)
	if err != nil {
		return err
	}
	m.Agreement = seal.Digest(signed)
	return tx.Put(TableAgreements, m.Agreement, signed)
}

// agreement returns an agreement that this hub signed, by digest.
func agreement(tx Tx, k *Keys, digest string) (*kiosk.Agreement, error) {
	signed, err := tx.Get(TableAgreements, digest)
	if err != nil {
		return nil, err
	}
	d, _, err := seal.OpenDocument(signed, publicKey(k))
	if err != nil {
		return nil, err
	}
	a := new(kiosk.Agreement)
	return a, json.Unmarshal(d.Body, a)
}

// rosterLife is how long a signed roster lasts; the hub signs it again long
// before.
const rosterLife = 365 * 24 * time.Hour

func putRoster(m *metaHub, k *Keys, r kiosk.Roster, now time.Time) error {
	body, err := json.Marshal(r)
	if err != nil {
		return err
	}
	m.Roster, err = seal.SignDocument(seal.Document{
		Kind: seal.KindRoster, Version: r.Version, Issued: now, NotBefore: now.Add(-24 * time.Hour), Expires: now.Add(rosterLife), Body: body,
	}, k.Signing)
	return err
}

func roster(m *metaHub, k *Keys) (r kiosk.Roster, issued time.Time, err error) {
	d, _, err := seal.OpenDocument(m.Roster, publicKey(k))
	if err != nil {
		return r, issued, err
	}
	return r, d.Issued, json.Unmarshal(d.Body, &r)
}

func (h *Hub) signTime() ([]byte, error) {
	now := h.now().UTC()
	return seal.SignDocument(seal.Document{Kind: seal.KindTime, Version: uint64(now.Unix()), Issued: now, Body: []byte("{}")}, h.keys.Signing)
}
