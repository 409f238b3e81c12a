// Package embedded is the hub's default store: one bbolt file for rows and one
// file per sealed part, in one folder, with nothing else to install. When a
// method returns, its effect has been fsynced: the file, and the folder where a
// name changed.
//
// It never keeps an acknowledged byte in memory only, and never opens a part:
// parts are sealed. One process at a time may hold it; [Open] says [ErrInUse] to
// the second.
//
//	hub.db                     rows
//	keys.json                  the hub's private keys, mode 0600
//	parts/KIOSK/DI/DIGEST.part an upload under way
//	parts/KIOSK/DI/DIGEST      a part that arrived whole
package embedded

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"go.etcd.io/bbolt"

	"tambo/store/boltcheck"
	"tambo/sync/hub"
)

// ErrInUse says that another process holds the store.
var ErrInUse = errors.New("the hub's store is in use by another process")

// ErrDamaged says that hub.db would not be safe to open. Nothing was written.
var ErrDamaged = errors.New("the hub's store is damaged: keep a copy of its whole folder, then bring hub.db back from the last backup; kiosks send again only what has no receipt yet, so the parts that came since that backup must stay in parts/")

// Store is a [hub.Store] in a folder.
type Store struct {
	dir   string
	db    *bbolt.DB
	mu    sync.Mutex
	locks map[string]*blobLock
}

var _ hub.Store = (*Store)(nil)

// Open opens the store in a folder, making both when they are not there.
func Open(dir string) (*Store, error) {
	for _, d := range []string{dir, filepath.Join(dir, "parts")} {
		if err := mkdir(d); err != nil {
			return nil, fmt.Errorf("hub store: %w", full(err))
		}
	}
	db, err := openRows(filepath.Join(dir, "hub.db"))
	if err != nil {
		return nil, err
	}
	s := &Store{dir: dir, db: db, locks: map[string]*blobLock{}}
	err = db.Update(func(tx *bbolt.Tx) error {
		for _, t := range hub.Tables {
			if _, err := tx.CreateBucketIfNotExists([]byte(t)); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		err = syncDir(dir)
	}
	if err != nil {
		db.Close()
		return nil, fmt.Errorf("hub store: %w", full(err))
	}
	return s, nil
}

// openRows opens the database once it holds its lock and has seen that the file
// is sound: bbolt panics on a damaged page, and a file that another process
// writes to looks damaged.
func openRows(path string) (*bbolt.DB, error) {
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{OpenFile: openSound})
	switch {
	case errors.Is(err, syscall.EWOULDBLOCK):
		return nil, fmt.Errorf("%w: %s", ErrInUse, filepath.Dir(path))
	case errors.Is(err, boltcheck.ErrCorrupt):
		return nil, fmt.Errorf("%w (%w)", ErrDamaged, err)
	case err != nil:
		return nil, fmt.Errorf("hub store: %w", full(err))
	}
	return db, nil
}

func openSound(path string, flag int, mode os.FileMode) (*os.File, error) {
	f, err := os.OpenFile(path, flag, mode)
	if err != nil {
		return nil, err
	}
	if err := locked(f); err != nil {
		f.Close()
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && info.Size() > 0 {
		err = boltcheck.Check(f, info.Size())
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// locked takes the lock that bbolt will take again on the same file.
func locked(f *os.File) (err error) {
	for range 20 {
		if err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err == nil {
			return nil
		}
		time.Sleep(50 * time.Millisecond)
	}
	return fmt.Errorf("lock %s: %w", f.Name(), err)
}

// Close implements [hub.Store].
func (s *Store) Close() error { return s.db.Close() }

// Update implements [hub.Store].
func (s *Store) Update(ctx context.Context, f func(hub.Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return full(s.db.Update(func(t *bbolt.Tx) error { return f(tx{t}) }))
}

// View implements [hub.Store].
func (s *Store) View(ctx context.Context, f func(hub.Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return s.db.View(func(t *bbolt.Tx) error { return f(tx{t}) })
}

type tx struct{ t *bbolt.Tx }

func (x tx) bucket(t hub.Table) (*bbolt.Bucket, error) {
	b := x.t.Bucket([]byte(t))
	if b == nil {
		return nil, fmt.Errorf("hub store: no table %q", t)
	}
	return b, nil
}

func (x tx) Get(t hub.Table, key string) ([]byte, error) {
	b, err := x.bucket(t)
	if err != nil {
		return nil, err
	}
	v := b.Get([]byte(key))
	if v == nil {
		return nil, fmt.Errorf("%s %q: %w", t, key, hub.ErrNotFound)
	}
	return v, nil
}

func (x tx) Put(t hub.Table, key string, value []byte) error {
	b, err := x.bucket(t)
	if err != nil {
		return err
	}
	return b.Put([]byte(key), bytes.Clone(value))
}

func (x tx) Delete(t hub.Table, key string) error {
	b, err := x.bucket(t)
	if err != nil {
		return err
	}
	return b.Delete([]byte(key))
}

func (x tx) Scan(t hub.Table, prefix string, f func(key string, value []byte) error) error {
	b, err := x.bucket(t)
	if err != nil {
		return err
	}
	c := b.Cursor()
	for k, v := c.Seek([]byte(prefix)); k != nil && bytes.HasPrefix(k, []byte(prefix)); k, v = c.Next() {
		if err := f(string(k), v); errors.Is(err, hub.ErrStop) {
			return nil
		} else if err != nil {
			return err
		}
	}
	return nil
}

// full turns the kernel's words for a full disk into [hub.ErrFull].
func full(err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return fmt.Errorf("%w: %w", hub.ErrFull, err)
	}
	return err
}

// mkdir makes a folder durable.
func mkdir(dir string) error {
	if err := os.Mkdir(dir, 0o700); errors.Is(err, os.ErrExist) {
		return nil
	} else if errors.Is(err, os.ErrNotExist) {
		if err := mkdir(filepath.Dir(dir)); err != nil {
			return err
		}
		return mkdir(dir)
	} else if err != nil {
		return err
	}
	return syncDir(filepath.Dir(dir))
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
