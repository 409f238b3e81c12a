package hub

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"tambo/kiosk"
	"tambo/kiosk/iris"
	"tambo/kiosk/policy"
	"tambo/store/seal"
	"tambo/sync/wire"
)

// NewEntry is what the keeper says of a person who goes on a list. The
// document number is kept as its keyed hash only.
type NewEntry struct {
	List        string            `json:"list"`
	Templates   []kiosk.Template  `json:"templates,omitempty"`
	Numbers     []string          `json:"numbers,omitempty"`
	Names       []kiosk.ListName  `json:"names,omitempty"`
	Instruction kiosk.Instruction `json:"instruction"`
	Until       time.Time         `json:"until,omitzero"`
}

func entryKey(list, id string) string { return list + "/" + id }

// addEntry puts somebody on a list and returns the entry's id.
func (h *Hub) addEntry(ctx context.Context, n NewEntry) (string, error) {
	if err := checkEntry(&n); err != nil {
		return "", err
	}
	id := string(kiosk.NewEncounterID())
	err := h.store.Update(ctx, func(tx Tx) error {
		if err := h.permitted(tx, n.List); err != nil {
			return err
		}
		l, err := h.bump(tx, n.List)
		if err != nil {
			return err
		}
		e := kiosk.WatchlistEntry{ID: id, List: n.List, Templates: n.Templates, Names: n.Names, Instruction: n.Instruction, Until: n.Until}
		for _, number := range n.Numbers {
			e.Documents = append(e.Documents, policy.DocumentHash(l.HashKey, number))
		}
		return put(tx, TableEntries, entryKey(n.List, id), entryRow{Entry: e, Changed: l.Version})
	})
	if err != nil {
		return "", err
	}
	h.load.Lock()
	defer h.load.Unlock()
	if !h.loaded {
		return id, nil
	}
	h.search.remove(scopeList(n.List), id) // a load may have seen it already
	return id, h.search.add(scopeList(n.List), id, n.Templates)
}

func checkEntry(n *NewEntry) error {
	bad := func(format string, args ...any) error {
		return fmt.Errorf("%w: %s", ErrArgument, fmt.Sprintf(format, args...))
	}
	if !wire.IsName(n.List) {
		return bad("list name: want 1 to 40 of a-z 0-9 and '-'")
	}
	if len(n.Templates) == 0 && len(n.Numbers) == 0 {
		return bad("an entry needs an iris or a document number: names are kept, but no search looks at them yet, so that nobody would be found by a name alone")
	}
	if n.Instruction.Code == "" || len(n.Instruction.Text) == 0 {
		return bad("an entry needs an instruction: a code, and a text in at least one language")
	}
	for _, t := range n.Templates {
		if _, err := iris.Decode(t); err != nil {
			return bad("%s eye: %v", t.Eye, err)
		}
	}
	for _, number := range n.Numbers {
		if policy.NormalizeDocument(number) == "" {
			return bad("document number has neither letter nor digit")
		}
	}
	for _, x := range n.Names {
		if x.Surname == "" && x.Given == "" {
			return bad("empty name")
		}
	}
	return nil
}

// permitted reports whether the agreement in force lets a list be searched.
func (h *Hub) permitted(tx Tx, list string) error {
	m, err := meta(tx)
	if err != nil {
		return err
	}
	a, err := agreement(tx, h.keys, m.Agreement)
	if errors.Is(err, ErrNotFound) {
		return fmt.Errorf("%w: no agreement is in force", ErrArgument)
	}
	if err != nil {
		return err
	}
	if _, ok := policy.List(a, list); !ok {
		return fmt.Errorf("%w: the agreement in force does not permit searching a list %q", ErrArgument, list)
	}
	return nil
}

// bump gives a list its next version, making the list when it is not there.
func (h *Hub) bump(tx Tx, name string) (*listRow, error) {
	l, err := maybe[listRow](tx, TableLists, name)
	if err != nil {
		return nil, err
	}
	if l == nil {
		l = &listRow{Name: name, HashKey: make([]byte, 32)}
		rand.Read(l.HashKey)
	}
	l.Version++
	l.Signed = h.now().UTC()
	return l, put(tx, TableLists, name, l)
}

// withdraw takes an entry off its list. Its templates are erased; that it was
// there is remembered, so that kiosks are told.
func (h *Hub) withdraw(ctx context.Context, id string) error {
	var list string
	err := h.store.Update(ctx, func(tx Tx) error {
		var row *entryRow
		if err := scan(tx, TableEntries, "", func(key string, r *entryRow) error {
			if r.Entry.ID == id && !r.Withdrawn {
				row = r
				return ErrStop
			}
			return nil
		}); err != nil {
			return err
		}
		if row == nil {
			return fmt.Errorf("%w: no list has an entry %q", ErrArgument, id)
		}
		list = row.Entry.List
		l, err := h.bump(tx, list)
		if err != nil {
			return err
		}
		row.Entry = kiosk.WatchlistEntry{ID: id, List: list}
		row.Changed, row.Withdrawn = l.Version, true
		return put(tx, TableEntries, entryKey(list, id), row)
	})
	if err == nil {
		h.search.remove(scopeList(list), id)
	}
	return err
}

func (h *Hub) entry(ctx context.Context, list, id string) (e *kiosk.WatchlistEntry, err error) {
	err = h.store.View(ctx, func(tx Tx) error {
		row, err := get[entryRow](tx, TableEntries, entryKey(list, id))
		if err != nil {
			return err
		}
		if row.Withdrawn {
			return ErrNotFound
		}
		e = &row.Entry
		return nil
	})
	return e, err
}

// refreshList is how old a list's signature may be before an unchanged list is
// signed again under a new version, so that kiosks can show how old it is.
const refreshList = 10 * time.Minute

// refreshLists makes every permitted list and gives old ones a new version.
func (h *Hub) refreshLists(ctx context.Context, a *kiosk.Agreement) error {
	var old []string
	err := h.store.View(ctx, func(tx Tx) error {
		old = nil
		for _, rule := range a.Lists {
			l, err := maybe[listRow](tx, TableLists, rule.List)
			if err != nil {
				return err
			}
			if l == nil || h.now().Sub(l.Signed) > refreshList {
				old = append(old, rule.List)
			}
		}
		return nil
	})
	if err != nil || len(old) == 0 {
		return err
	}
	return h.store.Update(ctx, func(tx Tx) error {
		for _, name := range old {
			if l, err := maybe[listRow](tx, TableLists, name); err != nil {
				return err
			} else if l != nil && h.now().Sub(l.Signed) <= refreshList {
				continue
			}
			if _, err := h.bump(tx, name); err != nil {
				return err
			}
		}
		return nil
	})
}

// delta returns the document that brings a kiosk from a version of a list to
// the current one; from 0 it is a snapshot. It is nil when there is nothing new.
func (h *Hub) delta(tx Tx, k *Kiosk, rule kiosk.ListRule, from uint64) (*seal.Document, error) {
	l, err := maybe[listRow](tx, TableLists, rule.List)
	if err != nil || l == nil || from == l.Version {
		return nil, err
	}
	if from > l.Version {
		h.log.Error("a kiosk holds a newer list than the hub: was the hub restored from an old copy?", "kiosk", k.ID, "list", rule.List, "kioskVersion", from, "version", l.Version)
		return nil, nil
	}
	d := kiosk.ListDelta{List: rule.List, From: from, To: l.Version, Signed: l.Signed, Expires: l.Signed.Add(rule.MaxAge), HashKey: l.HashKey}
	err = scan(tx, TableEntries, rule.List+"/", func(key string, r *entryRow) error {
		switch {
		case r.Changed <= from:
		case !r.Withdrawn:
			d.Put = append(d.Put, r.Entry)
		case from > 0:
			d.Remove = append(d.Remove, r.Entry.ID)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	body, err := json.Marshal(d)
	if err != nil {
		return nil, err
	}
	return &seal.Document{
		Kind: seal.KindList + ":" + rule.List, Version: l.Version, Kiosk: k.ID, Issued: l.Signed,
		NotBefore: l.Signed.Add(-24 * time.Hour), Expires: d.Expires, Body: bytes.Clone(body),
	}, nil
}
