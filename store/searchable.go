package store

import (
	"bytes"
	"context"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	bolt "go.etcd.io/bbolt"

	"tambo/kiosk"
	"tambo/store/internal/box"
	"tambo/store/keyring"
)

// fillBatch is how many cards are handed to a goroutine at a time.
const fillBatch = 256

// Searchable calls f for every index card that has not ended, with the search
// codes that were put with it ([kiosk.IndexCard.Search]; nil if there were none
// or they cannot be read), in no order. f is called from several goroutines at
// once, must not call the vault, and may use search only until it returns. Each
// card's codes are opened with the card's own key; templates are not read.
// progress, if not nil, is called now and then, also from several goroutines,
// with the cards done and in all. It ends early with f's error or ctx's. lost
// counts the cards that cannot be read: they are noted in Status.
func (s *Subjects) Searchable(ctx context.Context, progress func(done, total int), f func(id kiosk.EncounterID, search []byte) error) (lost int, err error) {
	release, err := s.use(ctx)
	if err != nil {
		return 0, err
	}
	defer release()
	x := filler{s: s, f: f, now: s.v.now(), progress: progress}
	err = s.v.db.View(func(tx *bolt.Tx) error {
		work, stop := context.WithCancelCause(ctx)
		defer stop(nil)
		x.total = tx.Bucket([]byte(bCards)).Stats().KeyN
		batches := make(chan []filled, runtime.GOMAXPROCS(0))
		var wg sync.WaitGroup
		for range runtime.GOMAXPROCS(0) {
			wg.Go(func() {
				for b := range batches {
					if work.Err() != nil {
						continue
					}
					if err := x.take(b); err != nil {
						stop(err)
					}
				}
			})
		}
		eachSearchable(tx, func(b []filled) bool {
			batches <- b
			return work.Err() == nil
		})
		close(batches)
		wg.Wait()
		return context.Cause(work)
	})
	return int(x.lost.Load()), err
}

// filled is one card as the index has it, and its codes if it has any. Its bytes
// belong to the transaction.
type filled struct{ name, card, codes []byte }

// eachSearchable walks cards and codes side by side, both ordered by name, and
// gives them away in batches until give says that it is enough.
func eachSearchable(tx *bolt.Tx, give func([]filled) bool) {
	var codes *bolt.Cursor
	var at, value []byte
	if b := tx.Bucket([]byte(bCodes)); b != nil {
		codes = b.Cursor()
		at, value = codes.First()
	}
	cards := tx.Bucket([]byte(bCards)).Cursor()
	batch := make([]filled, 0, fillBatch)
	for name, card := cards.First(); name != nil; name, card = cards.Next() {
		for at != nil && bytes.Compare(at, name) < 0 {
			at, value = codes.Next()
		}
		x := filled{name: name, card: card}
		if bytes.Equal(at, name) {
			x.codes = value
		}
		if batch = append(batch, x); len(batch) == fillBatch {
			if !give(batch) {
				return
			}
			batch = make([]filled, 0, fillBatch)
		}
	}
	give(batch)
}

// filler opens cards' codes.
type filler struct {
	s        *Subjects
	f        func(kiosk.EncounterID, []byte) error
	now      kiosk.Instant
	progress func(int, int)
	total    int
	done     atomic.Int64
	lost     atomic.Int64
}

func (x *filler) take(batch []filled) error {
	var buf []byte
	for i := range batch {
		id, ends, search, err := x.codes(&buf, &batch[i])
		if err != nil {
			// Without codes, or with damaged ones: the card itself decides.
			r, err := x.s.v.decodeCard(batch[i].name, batch[i].card)
			if err != nil {
				x.lost.Add(1)
				x.s.v.lostCard(err)
				continue
			}
			id, ends, search = r.Encounter, r.Ends, nil
		}
		if !ends.IsZero() && x.now.Trusted && !ends.After(x.now.Time) {
			continue
		}
		if err := x.f(id, search); err != nil {
			return err
		}
	}
	if done := x.done.Add(int64(len(batch))); x.progress != nil {
		x.progress(int(done), x.total)
	}
	return nil
}

var errNoCodes = errors.New("no search codes")

// codes opens the codes of one card into buf.
func (x *filler) codes(buf *[]byte, c *filled) (id kiosk.EncounterID, ends time.Time, search []byte, err error) {
	if len(c.codes) < refSize {
		return "", ends, nil, errNoCodes
	}
	var key keyring.Key
	if key, err = x.s.v.ring.Key(parseRef(c.codes), x.s.s); err != nil {
		return "", ends, nil, err
	}
	defer key.Wipe()
	plain, err := box.OpenTo((*buf)[:0], key[:], codesPlace(c.name), c.codes[refSize:])
	if err != nil {
		return "", ends, nil, err
	}
	*buf = plain
	if len(plain) < 9 || len(plain) < 9+int(plain[8]) {
		return "", ends, nil, errCard
	}
	n := 9 + int(plain[8])
	return kiosk.EncounterID(plain[9:n]), parseEnd(plain[:8]), plain[n:], nil
}

// Card returns the index card of an encounter; [ErrNoCard] if there is none or
// it has ended, [ErrDamaged] if it cannot be read, which is noted in Status.
func (s *Subjects) Card(ctx context.Context, id kiosk.EncounterID) (c kiosk.IndexCard, err error) {
	release, err := s.use(ctx)
	if err != nil {
		return c, err
	}
	defer release()
	for range 2 {
		// A card that was replaced or ended since the view was opened has lost its
		// key: the next view knows.
		if c, err = s.cardOf(id); !errors.Is(err, keyring.ErrErased) {
			break
		}
	}
	if err != nil && !errors.Is(err, ErrNoCard) && !errors.Is(err, keyring.ErrStale) {
		err = s.v.lostCard(err)
	}
	return c, err
}

func (s *Subjects) cardOf(id kiosk.EncounterID) (c kiosk.IndexCard, err error) {
	now := s.v.now()
	err = s.v.db.View(func(tx *bolt.Tx) error {
		name := s.v.blind(bCards, string(id))
		b := tx.Bucket([]byte(bCards)).Get(name)
		if b == nil {
			return ErrNoCard
		}
		if c, err = s.card(name, b); err != nil {
			return err
		}
		if !c.Ends.IsZero() && now.Trusted && !c.Ends.After(now.Time) {
			return ErrNoCard
		}
		return nil
	})
	return c, err
}
