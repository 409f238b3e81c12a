package hub

import (
	"bytes"
	"context"
	"encoding/json"
	"time"

	"tambo/kiosk"
	"tambo/store/seal"
	"tambo/sync/wire"
)

// rosterRefresh is how old a roster's signature may be before it is signed
// again under a new version.
const rosterRefresh = 30 * 24 * time.Hour

// down returns what a kiosk should know and does not say it has.
func (h *Hub) down(ctx context.Context, k *Kiosk, have []wire.Have) (*wire.DownAnswer, error) {
	a, err := h.freshen(ctx)
	if err != nil {
		return nil, err
	}
	held := make(map[string]uint64, len(have))
	for _, x := range have {
		held[x.Kind] = x.Version
	}
	if err := h.delivered(ctx, k, held); err != nil {
		return nil, err
	}
	out := &wire.DownAnswer{}
	now, err := h.signTime()
	if err != nil {
		return nil, err
	}
	if err := h.append(out, k, now); err != nil {
		return nil, err
	}
	err = h.store.View(ctx, func(tx Tx) error {
		m, err := meta(tx)
		if err != nil {
			return err
		}
		if out.Checkpoint, err = h.checkpoint(tx, m); err != nil {
			return err
		}
		docs, err := h.documents(tx, m, k, a, held)
		if err != nil {
			return err
		}
		for _, signed := range docs {
			if err := h.append(out, k, signed); err != nil {
				return err
			}
		}
		return nil
	})
	return out, err
}

// freshen signs again what has grown old, and returns the agreement in force,
// nil if there is none.
func (h *Hub) freshen(ctx context.Context) (a *kiosk.Agreement, err error) {
	var stale bool
	err = h.store.View(ctx, func(tx Tx) error {
		m, err := meta(tx)
		if err != nil {
			return err
		}
		_, issued, err := roster(m, h.keys)
		if err != nil {
			return err
		}
		stale = h.now().Sub(issued) > rosterRefresh
		if m.Agreement != "" {
			a, err = agreement(tx, h.keys, m.Agreement)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	if stale {
		if err := h.changeRoster(ctx, func(*kiosk.Roster) error { return nil }); err != nil {
			return nil, err
		}
	}
	if a != nil {
		err = h.refreshLists(ctx, a)
	}
	return a, err
}

// documents lists the signed documents that the kiosk lacks.
func (h *Hub) documents(tx Tx, m *metaHub, k *Kiosk, a *kiosk.Agreement, held map[string]uint64) (out [][]byte, err error) {
	if a != nil && a.Version > held[seal.KindAgreement] {
		signed, err := tx.Get(TableAgreements, m.Agreement)
		if err != nil {
			return nil, err
		}
		out = append(out, bytes.Clone(signed))
	}
	r, _, err := roster(m, h.keys)
	if err != nil {
		return nil, err
	}
	if r.Version > held[seal.KindRoster] {
		out = append(out, m.Roster)
	}
	var docs []seal.Document
	if a != nil {
		for _, rule := range a.Lists {
			d, err := h.delta(tx, k, rule, held[seal.KindList+":"+rule.List])
			if err != nil {
				return nil, err
			}
			if d != nil {
				docs = append(docs, *d)
			}
		}
	}
	err = scan(tx, TableAlerts, string(k.ID)+"/", func(key string, r *AlertRow) error {
		kind := seal.KindAlert + ":" + r.Alert.ID
		if r.Alert.Version <= max(held[kind], r.Delivered) || len(docs) >= wire.MaxHave/2 {
			return nil
		}
		body, err := json.Marshal(r.Alert)
		docs = append(docs, seal.Document{Kind: kind, Version: r.Alert.Version, Kiosk: k.ID, Issued: h.now(), Body: body})
		return err
	})
	if err != nil {
		return nil, err
	}
	for _, d := range docs {
		signed, err := seal.SignDocument(d, h.keys.Signing)
		if err != nil {
			return nil, err
		}
		out = append(out, signed)
	}
	return out, nil
}

// append adds a signed document to an answer, sealed to the kiosk when it is
// about people.
func (h *Hub) append(out *wire.DownAnswer, k *Kiosk, signed []byte) error {
	d, _, err := seal.OpenDocument(signed, publicKey(h.keys))
	if err != nil {
		return err
	}
	data := signed
	if wire.AboutPeople(d.Kind) {
		if data, err = seal.SealDown(signed, k.ReceiveKey, k.ID); err != nil {
			return err
		}
	}
	out.Documents = append(out.Documents, wire.DownDocument{Kind: d.Kind, Version: d.Version, Issued: d.Issued, Data: data})
	return nil
}

// delivered remembers which versions of its alerts the kiosk says it holds.
func (h *Hub) delivered(ctx context.Context, k *Kiosk, held map[string]uint64) error {
	newer := func(r *AlertRow) bool { return held[seal.KindAlert+":"+r.Alert.ID] > r.Delivered }
	changed := false
	err := h.store.View(ctx, func(tx Tx) error {
		return scan(tx, TableAlerts, string(k.ID)+"/", func(key string, r *AlertRow) error {
			changed = changed || newer(r)
			return nil
		})
	})
	if err != nil || !changed {
		return err
	}
	return h.store.Update(ctx, func(tx Tx) error {
		var rows []*AlertRow
		if err := scan(tx, TableAlerts, string(k.ID)+"/", func(key string, r *AlertRow) error {
			if newer(r) {
				rows = append(rows, r)
			}
			return nil
		}); err != nil {
			return err
		}
		for _, r := range rows {
			r.Delivered = min(held[seal.KindAlert+":"+r.Alert.ID], r.Alert.Version)
			if err := put(tx, TableAlerts, alertKey(k.ID, r.Alert.ID), r); err != nil {
				return err
			}
		}
		return nil
	})
}

// changeRoster applies a change to the roster and signs its next version.
func (h *Hub) changeRoster(ctx context.Context, change func(*kiosk.Roster) error) error {
	return h.store.Update(ctx, func(tx Tx) error {
		m, err := meta(tx)
		if err != nil {
			return err
		}
		r, _, err := roster(m, h.keys)
		if err != nil {
			return err
		}
		if err := change(&r); err != nil {
			return err
		}
		r.Version++
		if err := putRoster(m, h.keys, r, h.now()); err != nil {
			return err
		}
		return setMeta(tx, m)
	})
}
