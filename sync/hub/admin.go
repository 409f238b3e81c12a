package hub

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"tambo/kiosk"
	"tambo/sync/wire"
)

// Order is something that the hub's keeper asks, by name with arguments as
// JSON. The same orders are carried out by a running hub over its socket and by
// a command that opened the store itself.
type Order struct {
	Name string          `json:"name"`
	Args json.RawMessage `json:"args,omitempty"`
}

// Arguments and answers of orders.
type (
	// AddKiosk asks for a provisioning code ("kiosk add"); the answer is a
	// [Code].
	AddKiosk struct {
		ID   kiosk.KioskID `json:"id"`
		Site string        `json:"site"`
	}
	// Code is a provisioning code.
	Code struct {
		Code    string    `json:"code"`
		Expires time.Time `json:"expires"`
	}
	// ByID names one thing.
	ByID struct {
		ID string `json:"id"`
	}
	// Answer is a person's answer about an alert ("alert answer").
	Answer struct {
		ID    string           `json:"id"`
		State kiosk.AlertState `json:"state"`
		By    string           `json:"by"`
	}
	// Entry is an entry of a list, without templates and hashes.
	Entry struct {
		ID          string            `json:"id"`
		List        string            `json:"list"`
		Eyes        int               `json:"eyes"`
		Documents   int               `json:"documents"`
		Names       int               `json:"names"`
		Instruction kiosk.Instruction `json:"instruction"`
	}
	// PackageInfo is where a package stands.
	PackageInfo struct {
		Digest    string            `json:"digest"`
		Kiosk     kiosk.KioskID     `json:"kiosk"`
		Encounter kiosk.EncounterID `json:"encounter"`
		Kind      kiosk.PackageKind `json:"kind"`
		State     wire.PackageState `json:"state"`
		Hit       bool              `json:"hit,omitempty"`
		Parts     int               `json:"parts"`
		Bytes     int64             `json:"bytes"`
		Received  time.Time         `json:"received"`
		Remarks   []string          `json:"remarks,omitempty"`
		Match     *Match            `json:"match,omitempty"`
	}
	// Status is the hub at a glance.
	Status struct {
		Name      string         `json:"name"`
		Key       string         `json:"key"`
		Training  bool           `json:"training"`
		Agreement string         `json:"agreement,omitempty"` // id, version and end
		Digest    string         `json:"digest,omitempty"`
		Kiosks    int            `json:"kiosks"`
		Packages  map[string]int `json:"packages"` // by state
		Gallery   int            `json:"gallery"`  // encounters
		Jobs      int            `json:"jobs"`     // matches that wait
		Alerts    map[string]int `json:"alerts"`   // by state
		Log       int64          `json:"log"`      // receipts
	}
	// None is the answer of an order that gives nothing back.
	None struct{}
)

// orders is the table of what a keeper may ask.
var orders = map[string]func(*Hub, context.Context, json.RawMessage) (any, error){
	"kiosk add": order(func(h *Hub, ctx context.Context, a AddKiosk) (Code, error) {
		code, err := h.addKiosk(ctx, a.ID, a.Site)
		return Code{code, h.now().Add(codeLife).UTC().Truncate(time.Second)}, err
	}),
	"kiosk list":   order((*Hub).kiosks),
	"kiosk revoke": order((*Hub).revokeKiosk),
	"watchlist add": order(func(h *Hub, ctx context.Context, n NewEntry) (ByID, error) {
		id, err := h.addEntry(ctx, n)
		return ByID{id}, err
	}),
	"watchlist list":     order((*Hub).entries),
	"watchlist withdraw": order(func(h *Hub, ctx context.Context, a ByID) (None, error) { return None{}, h.withdraw(ctx, a.ID) }),
	"packages":           order((*Hub).packages),
	"alerts":             order((*Hub).alerts),
	"alert answer": order(func(h *Hub, ctx context.Context, a Answer) (None, error) {
		return None{}, h.answer(ctx, a.ID, a.State, a.By)
	}),
	"agreement put":  order((*Hub).putAgreement),
	"agreement show": order((*Hub).showAgreement),
	// a start for a new agreement; no order puts it in force as it is
	"agreement template": order((*Hub).templateAgreement),
	"operator add":       order((*Hub).addOperator),
	"operator revoke":    order((*Hub).revokeOperator),
	"operator list":      order((*Hub).operators),
	"status":             order((*Hub).status),
}

func order[A, R any](f func(*Hub, context.Context, A) (R, error)) func(*Hub, context.Context, json.RawMessage) (any, error) {
	return func(h *Hub, ctx context.Context, raw json.RawMessage) (any, error) {
		var a A
		if len(raw) > 0 {
			if err := json.Unmarshal(raw, &a); err != nil {
				return nil, fmt.Errorf("%w: %w", ErrArgument, err)
			}
		}
		return f(h, ctx, a)
	}
}

// Do carries out an order of the keeper. Whoever may call it is the keeper: it
// checks no identity.
func (h *Hub) Do(ctx context.Context, o Order) (any, error) {
	f := orders[o.Name]
	if f == nil {
		return nil, fmt.Errorf("%w: no order %q", ErrArgument, o.Name)
	}
	a, err := f(h, ctx, o.Args)
	if err == nil {
		h.log.Info("order", "name", o.Name)
	}
	return a, err
}

func (h *Hub) kiosks(ctx context.Context, _ None) (out []Kiosk, err error) {
	err = h.store.View(ctx, func(tx Tx) error {
		out = []Kiosk{}
		return scan(tx, TableKiosks, "", func(_ string, k *Kiosk) error { out = append(out, *k); return nil })
	})
	return out, err
}

func (h *Hub) revokeKiosk(ctx context.Context, a ByID) (None, error) {
	return None{}, h.store.Update(ctx, func(tx Tx) error {
		k, err := maybe[Kiosk](tx, TableKiosks, a.ID)
		if err != nil {
			return err
		}
		if k == nil {
			return fmt.Errorf("%w: no kiosk %q", ErrArgument, a.ID)
		}
		k.Revoked = true
		return put(tx, TableKiosks, a.ID, k)
	})
}

func (h *Hub) entries(ctx context.Context, _ None) (out []Entry, err error) {
	err = h.store.View(ctx, func(tx Tx) error {
		out = []Entry{}
		return scan(tx, TableEntries, "", func(_ string, r *entryRow) error {
			if !r.Withdrawn {
				e := r.Entry
				out = append(out, Entry{e.ID, e.List, len(e.Templates), len(e.Documents), len(e.Names), e.Instruction})
			}
			return nil
		})
	})
	return out, err
}

func (h *Hub) packages(ctx context.Context, _ None) (out []PackageInfo, err error) {
	err = h.store.View(ctx, func(tx Tx) error {
		out = []PackageInfo{}
		return scan(tx, TablePackages, "", func(_ string, p *Package) error {
			m := &p.Manifest
			info := PackageInfo{
				Digest: p.Digest, Kiosk: m.Kiosk, Encounter: m.Encounter, Kind: m.Kind, State: p.State, Hit: m.Hit,
				Parts: len(m.Parts), Received: p.Received, Remarks: p.Remarks,
			}
			for _, part := range m.Parts {
				info.Bytes += part.Size
			}
			match, err := maybe[Match](tx, TableMatches, p.Digest)
			info.Match = match
			out = append(out, info)
			return err
		})
	})
	slices.SortFunc(out, func(a, b PackageInfo) int { return a.Received.Compare(b.Received) })
	return out, err
}

func (h *Hub) alerts(ctx context.Context, _ None) (out []AlertRow, err error) {
	err = h.store.View(ctx, func(tx Tx) error {
		out = []AlertRow{}
		return scan(tx, TableAlerts, "", func(_ string, r *AlertRow) error { out = append(out, *r); return nil })
	})
	slices.SortFunc(out, func(a, b AlertRow) int { return a.Alert.Raised.Compare(b.Alert.Raised) })
	return out, err
}

func (h *Hub) putAgreement(ctx context.Context, a kiosk.Agreement) (None, error) {
	return None{}, h.store.Update(ctx, func(tx Tx) error {
		m, err := meta(tx)
		if err != nil {
			return err
		}
		if err := finish(&a); err != nil {
			return err
		}
		if err := h.ownRecipients(&a); err != nil {
			return err
		}
		if err := putAgreement(tx, m, h.keys, a, h.now()); err != nil {
			return err
		}
		return setMeta(tx, m)
	})
}

// ownRecipients fills in the hub's recipients when an agreement names none, and
// the hub's keys where it only says by what name the person shall know a
// recipient; it insists that the matcher is the one whose key is here.
func (h *Hub) ownRecipients(a *kiosk.Agreement) error {
	if len(a.Recipients) == 0 {
		a.Recipients = slices.Clone(h.keys.Recipients)
	}
	for i := range a.Recipients {
		r := &a.Recipients[i]
		if own := h.keys.recipient(r.Role); own != nil && r.KeyID == "" && len(r.Key) == 0 {
			r.KeyID, r.Key = own.KeyID, own.Key
		}
	}
	for _, r := range a.Recipients {
		if r.Role == kiosk.RecipientMatcher && h.keys.Private[r.KeyID] == nil {
			return fmt.Errorf("%w: the agreement's matcher has key %s, which is not this hub's", ErrArgument, r.KeyID)
		}
	}
	return nil
}

func (h *Hub) showAgreement(ctx context.Context, _ None) (a *kiosk.Agreement, err error) {
	err = h.store.View(ctx, func(tx Tx) error {
		m, err := meta(tx)
		if err != nil {
			return err
		}
		if m.Agreement == "" {
			return fmt.Errorf("%w: no agreement is in force", ErrArgument)
		}
		a, err = agreement(tx, h.keys, m.Agreement)
		return err
	})
	return a, err
}

func (h *Hub) addOperator(ctx context.Context, o kiosk.Operator) (None, error) {
	return None{}, h.changeRoster(ctx, func(r *kiosk.Roster) error {
		if !wire.IsName(o.Label) || !o.Role.Valid() {
			return fmt.Errorf("%w: an operator has a label of a-z 0-9 '-' and a role: officer, supervisor, technician, keeper", ErrArgument)
		}
		r.Operators = slices.DeleteFunc(r.Operators, func(x kiosk.Operator) bool { return x.Label == o.Label })
		r.Revoked = slices.DeleteFunc(r.Revoked, func(x string) bool { return x == o.Label })
		r.Operators = append(r.Operators, o)
		slices.SortFunc(r.Operators, func(a, b kiosk.Operator) int { return strings.Compare(a.Label, b.Label) })
		return nil
	})
}

func (h *Hub) revokeOperator(ctx context.Context, a ByID) (None, error) {
	return None{}, h.changeRoster(ctx, func(r *kiosk.Roster) error {
		n := len(r.Operators)
		r.Operators = slices.DeleteFunc(r.Operators, func(x kiosk.Operator) bool { return x.Label == a.ID })
		if len(r.Operators) == n {
			return fmt.Errorf("%w: no operator %q", ErrArgument, a.ID)
		}
		r.Revoked = append(r.Revoked, a.ID)
		return nil
	})
}

func (h *Hub) operators(ctx context.Context, _ None) (r kiosk.Roster, err error) {
	err = h.store.View(ctx, func(tx Tx) error {
		m, err := meta(tx)
		if err != nil {
			return err
		}
		r, _, err = roster(m, h.keys)
		return err
	})
	return r, err
}

func (h *Hub) status(ctx context.Context, _ None) (s Status, err error) {
	err = h.store.View(ctx, func(tx Tx) error {
		s = Status{Name: h.keys.Name, Key: h.keys.VerifierKey(), Packages: map[string]int{}, Alerts: map[string]int{}}
		m, err := meta(tx)
		if err != nil {
			return err
		}
		s.Training, s.Log, s.Digest = m.Training, m.Log, m.Agreement
		if m.Agreement != "" {
			a, err := agreement(tx, h.keys, m.Agreement)
			if err != nil {
				return err
			}
			s.Agreement = fmt.Sprintf("%s version %d until %s", a.ID, a.Version, a.Expires.Format(time.DateOnly))
		}
		count := func(t Table, n *int) error {
			return tx.Scan(t, "", func(string, []byte) error { *n++; return nil })
		}
		for t, n := range map[Table]*int{TableKiosks: &s.Kiosks, TableGallery: &s.Gallery, TableJobs: &s.Jobs} {
			if err := count(t, n); err != nil {
				return err
			}
		}
		if err := scan(tx, TablePackages, "", func(_ string, p *Package) error { s.Packages[string(p.State)]++; return nil }); err != nil {
			return err
		}
		return scan(tx, TableAlerts, "", func(_ string, r *AlertRow) error { s.Alerts[string(r.Alert.State)]++; return nil })
	})
	return s, err
}
