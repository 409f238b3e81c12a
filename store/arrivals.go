package store

import (
	"context"
	"fmt"

	bolt "go.etcd.io/bbolt"
)

// bArrivals holds the open arrival list. The bucket is made with the first list:
// a vault of an earlier version has none, and is whole without it.
const bArrivals = "arrivals"

func (v *Vault) arrivalsName() []byte { return v.blind(bArrivals, "open") }

// PutArrivals keeps the open arrival list (the people of a van), whatever its
// form, sealed in the subject tier; nil takes it away. Like an alert it has no key
// of its own: it holds wristband numbers and encounter ids, and no name and no
// image.
func (s *Subjects) PutArrivals(ctx context.Context, list []byte) error {
	release, err := s.use(ctx)
	if err != nil {
		return err
	}
	defer release()
	err = s.v.db.Update(func(tx *bolt.Tx) error {
		b, err := tx.CreateBucketIfNotExists([]byte(bArrivals))
		if err != nil {
			return err
		}
		name := s.v.arrivalsName()
		if list == nil {
			return b.Delete(name)
		}
		return b.Put(name, s.sealValue(bArrivals, name, list))
	})
	if err != nil {
		return fmt.Errorf("put arrivals: %w", full(err))
	}
	return nil
}

// Arrivals returns the open arrival list, nil if there is none.
func (s *Subjects) Arrivals(ctx context.Context) ([]byte, error) {
	release, err := s.use(ctx)
	if err != nil {
		return nil, err
	}
	defer release()
	var list []byte
	err = s.v.db.View(func(tx *bolt.Tx) error {
		b := tx.Bucket([]byte(bArrivals))
		if b == nil {
			return nil
		}
		name := s.v.arrivalsName()
		sealed := b.Get(name)
		if sealed == nil {
			return nil
		}
		var err error
		list, err = s.openValue(bArrivals, name, sealed)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("arrivals: %w", err)
	}
	return list, nil
}
