package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	bolt "go.etcd.io/bbolt"

	"tambo/kiosk"
	"tambo/store/internal/box"
	"tambo/store/keyring"
)

// cardRecord is an index card at rest: when it ends is of the machine tier, so
// that it ends with nobody signed in; the card itself is sealed by its own key.
// See cardfile.go.
type cardRecord struct {
	Encounter kiosk.EncounterID
	Ref       keyring.Ref
	Ends      time.Time // zero: never
	Body      []byte
}

func cardPlace(id kiosk.EncounterID) []byte {
	return box.Place(schema, indexFile, bCards, "body", string(id))
}

// putCard writes a card under its key. It returns the key of the card that it
// replaces, to be erased once the transaction is durable.
func (v *Vault) putCard(tx *bolt.Tx, c *kiosk.IndexCard, ref keyring.Ref, key keyring.Key) (old keyring.Ref, err error) {
	body, err := encodeBody(c)
	if err != nil {
		return old, err
	}
	name := v.blind(bCards, string(c.Encounter))
	b := tx.Bucket([]byte(bCards))
	if was := b.Get(name); was != nil {
		r, err := v.decodeCard(name, was)
		if err != nil {
			return old, err
		}
		old = r.Ref
	}
	r := cardRecord{c.Encounter, ref, c.Ends, box.Seal(key[:], cardPlace(c.Encounter), body)}
	if err := putCodes(tx, name, c, ref, &key); err != nil {
		return old, err
	}
	return old, b.Put(name, v.encodeCard(name, &r))
}

// PutCards adds index cards, or replaces those of the same encounters, in one
// transaction: the site gallery comes so.
func (s *Subjects) PutCards(ctx context.Context, cards ...kiosk.IndexCard) error {
	release, err := s.use(ctx)
	if err != nil {
		return err
	}
	defer release()
	return s.putCards(cards)
}

func (s *Subjects) putCards(cards []kiosk.IndexCard) error {
	if len(cards) == 0 {
		return nil
	}
	wants := make([]keyring.Want, len(cards))
	for i := range cards {
		if err := cards[i].Encounter.Validate(); err != nil {
			return fmt.Errorf("put cards: %w", err)
		}
		wants[i] = keyring.Want{Tier: keyring.Subject, Use: keyring.UseCard}
	}
	refs, keys, err := s.v.ring.NewKeys(s.s, wants...)
	if err != nil {
		return fmt.Errorf("put cards: %w", full(err))
	}
	var replaced []keyring.Ref
	err = s.v.db.Update(func(tx *bolt.Tx) error {
		for i := range cards {
			old, err := s.v.putCard(tx, &cards[i], refs[i], keys[i])
			if err != nil {
				return err
			}
			replaced = append(replaced, old)
		}
		return nil
	})
	if err != nil {
		replaced = refs
	}
	if e := s.v.ring.Erase(replaced...); err == nil {
		err = e
	}
	if err != nil {
		return fmt.Errorf("put cards: %w", full(err))
	}
	return nil
}

// Cards calls f for every index card that has not ended, in no order. Custody is
// where the record is now. A card that cannot be read is noted in Status and
// passed over.
func (s *Subjects) Cards(ctx context.Context, f func(kiosk.IndexCard) error) error {
	release, err := s.use(ctx)
	if err != nil {
		return err
	}
	defer release()
	now := s.v.now()
	return s.v.db.View(func(tx *bolt.Tx) error {
		custody, err := s.v.custody(tx)
		if err != nil {
			return err
		}
		return tx.Bucket([]byte(bCards)).ForEach(func(name, b []byte) error {
			if err := ctx.Err(); err != nil {
				return err
			}
			c, err := s.card(name, b)
			if err != nil {
				s.v.lostCard(err)
				return nil
			}
			if !c.Ends.IsZero() && now.Trusted && !c.Ends.After(now.Time) {
				return nil
			}
			if at, ok := custody[c.Encounter]; ok {
				c.Custody = at
			}
			return f(c)
		})
	})
}

// lostCard names an index card that cannot be read.
func (v *Vault) lostCard(err error) error {
	return v.damaged(&ErrDamaged{indexFile, "an index card is lost to local search; the hub still has the record", err})
}

func (s *Subjects) card(name, b []byte) (c kiosk.IndexCard, err error) {
	r, err := s.v.decodeCard(name, b)
	if err != nil {
		return c, err
	}
	key, err := s.v.ring.Key(r.Ref, s.s)
	if err != nil {
		return c, err
	}
	defer key.Wipe()
	body, err := box.Open(key[:], cardPlace(r.Encounter), r.Body)
	if err != nil {
		return c, err
	}
	return decodeBody(body)
}

// custody says where the records behind this kiosk's own cards are.
func (v *Vault) custody(tx *bolt.Tx) (map[kiosk.EncounterID]kiosk.CustodyState, error) {
	out := map[kiosk.EncounterID]kiosk.CustodyState{}
	for _, bucket := range []string{bOutbox, bPurged} {
		err := v.eachOut(tx, bucket, func(r *outRecord) error {
			if r.Meta.Kind != kiosk.PackageNotice {
				out[r.Meta.Encounter] = custodyOf(r.state())
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

func custodyOf(s kiosk.State) kiosk.CustodyState {
	switch s {
	case kiosk.StatePurged:
		return kiosk.CustodyPurged
	case kiosk.StateDelivered:
		return kiosk.CustodyDelivered
	case kiosk.StateThin:
		return kiosk.CustodyThin
	}
	return kiosk.CustodyHere
}

// keepPurged is how long the manifest and receipts of a purged package stay
// after its card has ended (or from sealing, if it had none), so that an
// amendment can cite them.
const keepPurged = 90 * 24 * time.Hour

// EndCards destroys the index cards whose time is over, and forgets packages
// that were purged long ago. It needs nobody signed in, and trusted time: with
// declared time it does nothing. A card that cannot be read is noted in Status and
// keeps no other from ending; as nobody knows whose it is, no package is forgotten
// then. It returns how many cards ended.
func (v *Vault) EndCards(now kiosk.Instant) (int, error) {
	if !now.Trusted {
		return 0, nil
	}
	v.files.Lock()
	defer v.files.Unlock()
	var gone []keyring.Ref
	err := v.db.Update(func(tx *bolt.Tx) error {
		cards := tx.Bucket([]byte(bCards))
		var ended [][]byte
		kept, lost := map[kiosk.EncounterID]bool{}, false
		err := cards.ForEach(func(name, b []byte) error {
			r, err := v.decodeCard(name, b)
			if err != nil {
				lost = true
				v.lostCard(err)
				return nil
			}
			if r.Ends.IsZero() || r.Ends.After(now.Time) {
				kept[r.Encounter] = true
				return nil
			}
			ended, gone = append(ended, bytes.Clone(name)), append(gone, r.Ref)
			return nil
		})
		if err != nil {
			return err
		}
		for _, name := range ended {
			if err := errors.Join(cards.Delete(name), deleteCodes(tx, name)); err != nil {
				return err
			}
		}
		if lost {
			return nil
		}
		return v.forgetPurged(tx, now.Time, kept)
	})
	if err != nil {
		return 0, fmt.Errorf("end cards: %w", full(err))
	}
	if len(gone) == 0 {
		return 0, nil
	}
	if err := v.ring.Erase(gone...); err != nil {
		return 0, fmt.Errorf("end cards: %w", full(err))
	}
	return len(gone), v.Audit("cards ended", "", "", fmt.Sprint(len(gone)))
}

// forgetPurged drops packages that were purged and sealed long ago, unless a
// card of the encounter is kept.
func (v *Vault) forgetPurged(tx *bolt.Tx, now time.Time, kept map[kiosk.EncounterID]bool) error {
	var old []*outRecord
	err := v.eachOut(tx, bPurged, func(r *outRecord) error {
		if !kept[r.Meta.Encounter] && now.Sub(r.Meta.Sealed) > keepPurged {
			old = append(old, r)
		}
		return nil
	})
	for _, r := range old {
		if err == nil {
			err = tx.Bucket([]byte(bPurged)).Delete(v.blind(bOutbox, r.ID))
		}
		if err == nil {
			err = tx.Bucket([]byte(bPackages)).Delete(v.packageName(r))
		}
	}
	return err
}
