package store

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"

	"tambo/kiosk"
	"tambo/store/internal/box"
	"tambo/store/keyring"
)

// searchCards makes n cards of two eyes each, as large as real ones.
func searchCards(n int, from int) []kiosk.IndexCard {
	out := make([]kiosk.IndexCard, n)
	for i := range out {
		noise := rand.NewChaCha8([32]byte{byte(from + i), byte((from + i) >> 8), byte((from + i) >> 16)})
		c := &out[i]
		*c = kiosk.IndexCard{Encounter: kiosk.EncounterID(fmt.Sprintf("%020d", from+i+1)), Wristband: fmt.Sprint(from + i), Date: "2026-03-01", Site: "gate",
			Custody: kiosk.CustodyElsewhere, Ends: start.AddDate(1, 0, 0), Search: make([]byte, 1034)}
		noise.Read(c.Search)
		for _, e := range kiosk.BothEyes {
			t := kiosk.Template{Engine: "tambo-iris/1", Eye: e, Data: make([]byte, 4616)}
			noise.Read(t.Data)
			c.Templates = append(c.Templates, t)
		}
	}
	return out
}

func TestSearchableIsWhatWasPut(t *testing.T) {
	w := newWorld(t)
	s := w.unlock("of-1", pwO)
	cards := searchCards(700, 0)
	cards[5].Search = nil                 // nobody packed it
	cards[6].Ends = w.now.Add(-time.Hour) // over
	cards[7].Ends, cards[8].Search = time.Time{}, []byte("one")
	w.must(s.PutCards(bg, cards...))
	cards[9].Search = []byte("another") // replaced, under another key
	w.must(s.PutCards(bg, cards[9]))
	var mu sync.Mutex
	var last atomic.Int64
	got := map[kiosk.EncounterID][]byte{}
	lost, err := s.Searchable(bg, func(done, total int) {
		if total != len(cards) {
			t.Errorf("%d of %d", done, total)
		}
		last.Store(max(last.Load(), int64(done)))
	}, func(id kiosk.EncounterID, search []byte) error {
		mu.Lock()
		defer mu.Unlock()
		if _, twice := got[id]; twice {
			t.Errorf("%s twice", id)
		}
		got[id] = bytes.Clone(search)
		return nil
	})
	if err != nil || lost != 0 {
		t.Errorf("%d lost, %v", lost, err)
	}
	if len(got) != len(cards)-1 || int(last.Load()) != len(cards) {
		t.Errorf("%d of %d cards, progress %d", len(got), len(cards), last.Load())
	}
	for i, c := range cards {
		if search, ok := got[c.Encounter]; ok == (i == 6) || ok && !bytes.Equal(search, c.Search) {
			t.Errorf("card %d: %v, %d bytes", i, ok, len(search))
		}
	}
	c, err := s.Card(bg, cards[3].Encounter)
	if err != nil || len(c.Templates) != 2 || !bytes.Equal(c.Templates[1].Data, cards[3].Templates[1].Data) || c.Templates[1].Eye != cards[3].Templates[1].Eye || c.Wristband != "3" {
		t.Errorf("card 3: %v, %+v", err, c.Wristband)
	}
	for _, id := range []kiosk.EncounterID{cards[6].Encounter, "ffffffffffffffffffff"} {
		if _, err := s.Card(bg, id); !errors.Is(err, ErrNoCard) {
			t.Errorf("%s: %v", id, err)
		}
	}
	if _, err := w.v.EndCards(kiosk.Instant{Time: start.AddDate(2, 0, 0), Trusted: true}); err != nil {
		t.Fatal(err)
	}
	w.must(w.v.db.View(func(tx *bolt.Tx) error {
		if n := tx.Bucket([]byte(bCodes)).Stats().KeyN; n != 1 { // the card without an end
			t.Errorf("%d codes are left of cards that ended", n)
		}
		return nil
	}))
}

// Codes that were changed, or belong to another card, are not believed: the
// card itself is searchable without them.
func TestSearchableDoesNotBelieveForeignCodes(t *testing.T) {
	w := newWorld(t)
	s := w.unlock("of-1", pwO)
	cards := searchCards(3, 0)
	w.must(s.PutCards(bg, cards...))
	w.must(w.v.db.Update(func(tx *bolt.Tx) error {
		b := tx.Bucket([]byte(bCodes))
		var names [][]byte
		w.must(b.ForEach(func(name, _ []byte) error { names = append(names, bytes.Clone(name)); return nil }))
		other := bytes.Clone(b.Get(names[1]))
		changed := bytes.Clone(b.Get(names[2]))
		changed[len(changed)-1] ^= 1
		w.must(b.Put(names[2], changed))
		return b.Put(names[0], other)
	}))
	var with, without atomic.Int64
	if _, err := s.Searchable(bg, nil, func(_ kiosk.EncounterID, search []byte) error {
		if search == nil {
			without.Add(1)
		} else {
			with.Add(1)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if with.Load() != 1 || without.Load() != 2 {
		t.Errorf("%d with codes, %d without", with.Load(), without.Load())
	}
}

// firstForm writes a card as the first builds did: JSON throughout, no codes.
func (w *world) firstForm(s *Subjects, c *kiosk.IndexCard) {
	w.t.Helper()
	refs, keys, err := w.v.ring.NewKeys(s.s, keyring.Want{Tier: keyring.Subject, Use: keyring.UseCard})
	w.must(err)
	body, err := json.Marshal(c)
	w.must(err)
	record, err := json.Marshal(map[string]any{"encounter": c.Encounter, "ref": refs[0], "ends": c.Ends.UTC(), "body": box.Seal(keys[0][:], cardPlace(c.Encounter), body)})
	w.must(err)
	w.must(w.v.db.Update(func(tx *bolt.Tx) error {
		name := w.v.blind(bCards, string(c.Encounter))
		return tx.Bucket([]byte(bCards)).Put(name, w.v.sealValue(bCards, name, record))
	}))
}

// Cards that an earlier build wrote are searched, read, replaced and ended like
// any other; opening the vault erases no key of theirs.
func TestCardsOfTheFirstForm(t *testing.T) {
	w := newWorld(t)
	s := w.unlock("of-1", pwO)
	cards := searchCards(3, 0)
	cards[2].Ends = time.Time{}
	for i := range cards {
		w.firstForm(s, &cards[i])
	}
	w.reopen()
	s = w.unlock("of-1", pwO)
	var seen atomic.Int64
	lost, err := s.Searchable(bg, nil, func(_ kiosk.EncounterID, search []byte) error {
		if search != nil {
			t.Error("codes of a card that has none")
		}
		seen.Add(1)
		return nil
	})
	if err != nil || lost != 0 || seen.Load() != 3 {
		t.Fatalf("%d of 3 cards, %d lost, %v", seen.Load(), lost, err)
	}
	for i := range cards {
		c, err := s.Card(bg, cards[i].Encounter)
		if err != nil || c.Wristband != cards[i].Wristband || len(c.Templates) != 2 || !bytes.Equal(c.Templates[1].Data, cards[i].Templates[1].Data) {
			t.Errorf("card %d: %v, wristband %q, %d templates", i, err, c.Wristband, len(c.Templates))
		}
	}
	w.must(s.PutCards(bg, cards[0])) // in the new form
	if n, err := w.v.EndCards(kiosk.Instant{Time: start.AddDate(2, 0, 0), Trusted: true}); n != 2 || err != nil {
		t.Errorf("%d of 2 cards ended, %v", n, err)
	}
	if st, err := w.v.Status(); err != nil || len(st.Damage) != 0 {
		t.Errorf("damage: %q, %v", st.Damage, err)
	}
}

// A card that cannot be read is counted and named, at sign-in and when a search
// wants it, and keeps no other card from ending.
func TestOneDamagedCardIsNamed(t *testing.T) {
	w := newWorld(t)
	s := w.unlock("of-1", pwO)
	cards := searchCards(3, 0)
	w.must(s.PutCards(bg, cards...))
	spoil := func(i, from int) { // a bit of its envelope, or of its body
		w.must(w.v.db.Update(func(tx *bolt.Tx) error {
			name := w.v.blind(bCards, string(cards[i].Encounter))
			b := bytes.Clone(tx.Bucket([]byte(bCards)).Get(name))
			b[(len(b)+from)%len(b)] ^= 1
			if from >= 0 {
				w.must(tx.Bucket([]byte(bCodes)).Delete(name))
			}
			return tx.Bucket([]byte(bCards)).Put(name, b)
		}))
	}
	spoil(0, 20)
	spoil(1, -1)
	lost, err := s.Searchable(bg, nil, func(kiosk.EncounterID, []byte) error { return nil })
	if lost != 1 || err != nil {
		t.Errorf("%d lost of 1, %v", lost, err)
	}
	var damage *ErrDamaged
	for i := range 2 {
		if _, err := s.Card(bg, cards[i].Encounter); !errors.As(err, &damage) {
			t.Errorf("card %d: %v", i, err)
		}
	}
	if st, err := w.v.Status(); err != nil || len(st.Damage) != 2 {
		t.Errorf("2 are damaged, %q are named, %v", st.Damage, err)
	}
	if n, err := w.v.EndCards(kiosk.Instant{Time: start.AddDate(2, 0, 0), Trusted: true}); n != 2 || err != nil {
		t.Errorf("%d of 2 cards ended, %v", n, err)
	}
}

func TestSearchableStops(t *testing.T) {
	w := newWorld(t)
	s := w.unlock("of-1", pwO)
	w.must(s.PutCards(bg, searchCards(3000, 0)...))
	ctx, cancel := context.WithCancel(bg)
	var n atomic.Int64
	_, err := s.Searchable(ctx, func(int, int) { cancel() }, func(kiosk.EncounterID, []byte) error { n.Add(1); return nil })
	if !errors.Is(err, context.Canceled) || n.Load() == 0 || n.Load() == 3000 {
		t.Errorf("%v after %d", err, n.Load())
	}
	own := errors.New("enough")
	if _, err := s.Searchable(bg, nil, func(kiosk.EncounterID, []byte) error { return own }); !errors.Is(err, own) {
		t.Error(err)
	}
}

func FuzzCardBody(f *testing.F) {
	for _, c := range searchCards(2, 0) {
		b, err := encodeBody(&c)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
		f.Add(b[:len(b)-1])
		f.Add(b[:7])
	}
	f.Add([]byte{0xff, 0xff, 0xff, 0xff})
	f.Add([]byte{0, 0, 0, 2, '{', '}', 1, 0, 0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := decodeBody(b)
		if err != nil {
			return
		}
		again, err := encodeBody(&c)
		if err != nil {
			t.Skip() // a JSON that holds more than a card
		}
		d, err := decodeBody(again)
		if err != nil || !slices.EqualFunc(c.Templates, d.Templates, func(x, y kiosk.Template) bool {
			return x.Engine == y.Engine && x.Eye == y.Eye && bytes.Equal(x.Data, y.Data)
		}) {
			t.Errorf("%v: templates changed", err)
		}
	})
}

// BenchmarkFill measures how long it takes to make all cards of a vault
// searchable, each under its own key: "codes" as a sign-in does it, "cards" by
// reading whole cards.
func BenchmarkFill(b *testing.B) {
	for _, n := range []int{10_000, 100_000} {
		w := newWorld(b)
		s := w.unlock("of-1", pwO)
		for at := 0; at < n; at += 5000 {
			w.must(s.PutCards(bg, searchCards(5000, at)...))
		}
		report := func(b *testing.B, spent time.Duration) {
			cards := float64(n) * float64(b.N)
			b.ReportMetric(b.Elapsed().Seconds()*1e6/cards, "µs/card")
			b.ReportMetric((cpuTime()-spent).Seconds()*1e6/cards, "µs-cpu/card")
		}
		b.Run(fmt.Sprintf("codes/%d", n), func(b *testing.B) {
			spent := cpuTime()
			for b.Loop() {
				var got atomic.Int64
				_, err := s.Searchable(bg, nil, func(kiosk.EncounterID, []byte) error { got.Add(1); return nil })
				if err != nil || int(got.Load()) != n {
					b.Fatal(got.Load(), err)
				}
			}
			report(b, spent)
		})
		b.Run(fmt.Sprintf("cards/%d", n), func(b *testing.B) {
			spent := cpuTime()
			for b.Loop() {
				w.must(s.Cards(bg, func(kiosk.IndexCard) error { return nil }))
			}
			report(b, spent)
		})
		runtime.GC()
	}
}

func cpuTime() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
