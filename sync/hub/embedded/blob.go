package embedded

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"

	"tambo/sync/hub"
	"tambo/sync/wire"
)

// blobLock serialises the work on one upload.
type blobLock struct {
	sync.Mutex
	users int
}

func (s *Store) lock(id string) func() {
	s.mu.Lock()
	l := s.locks[id]
	if l == nil {
		l = new(blobLock)
		s.locks[id] = l
	}
	l.users++
	s.mu.Unlock()
	l.Lock()
	return func() {
		l.Unlock()
		s.mu.Lock()
		if l.users--; l.users == 0 {
			delete(s.locks, id)
		}
		s.mu.Unlock()
	}
}

// paths returns where a blob lies while it grows and when it is whole.
func (s *Store) paths(id string) (incoming, whole string, err error) {
	k, digest, err := wire.ParseUploadID(id)
	if err != nil {
		return "", "", err
	}
	whole = filepath.Join(s.dir, "parts", string(k), digest[:2], digest)
	return whole + ".part", whole, nil
}

// Begin implements [hub.Blobs].
func (s *Store) Begin(ctx context.Context, id string) error {
	incoming, whole, err := s.paths(id)
	if err != nil {
		return err
	}
	defer s.lock(id)()
	if _, err := os.Stat(whole); err == nil {
		return nil
	}
	if err := mkdir(filepath.Dir(incoming)); err != nil {
		return full(err)
	}
	f, err := os.OpenFile(incoming, os.O_CREATE|os.O_WRONLY, 0o600) // never O_TRUNC
	if err != nil {
		return full(err)
	}
	if err := f.Close(); err != nil {
		return full(err)
	}
	return full(s.settle(incoming))
}

// Size implements [hub.Blobs]. It waits for no upload that is under way, whose
// sender may be dead: what is there is looked at, and made durable before it is
// told.
func (s *Store) Size(ctx context.Context, id string) (int64, bool, error) {
	incoming, whole, err := s.paths(id)
	if err != nil {
		return 0, false, err
	}
	for range 2 { // a commit may move it from one place to the other meanwhile
		if st, err := os.Stat(whole); err == nil {
			return st.Size(), true, full(s.settle(whole))
		}
		size, err := durable(incoming)
		if err == nil {
			err = s.settle(incoming)
		}
		if !errors.Is(err, os.ErrNotExist) {
			return size, false, full(err)
		}
	}
	return 0, false, fmt.Errorf("upload %w", hub.ErrNotFound)
}

// durable returns how long a file is, once so much of it is durable.
func durable(path string) (int64, error) {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return st.Size(), f.Sync()
}

// Append implements [hub.Blobs].
func (s *Store) Append(ctx context.Context, id string, offset int64, src io.Reader) (int64, error) {
	incoming, whole, err := s.paths(id)
	if err != nil {
		return 0, err
	}
	defer s.lock(id)()
	if _, err := os.Stat(whole); err == nil {
		return 0, fmt.Errorf("%w: it is whole", hub.ErrOffset)
	}
	f, err := os.OpenFile(incoming, os.O_WRONLY|os.O_APPEND, 0)
	if errors.Is(err, os.ErrNotExist) {
		return 0, fmt.Errorf("upload %w", hub.ErrNotFound)
	}
	if err != nil {
		return 0, full(err)
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return 0, err
	}
	if st.Size() != offset {
		return 0, fmt.Errorf("%w: at %d, asked to write at %d", hub.ErrOffset, st.Size(), offset)
	}
	n, werr := io.CopyBuffer(struct{ io.Writer }{f}, src, make([]byte, 256<<10))
	if err := f.Sync(); err != nil { // nothing of this chunk may be believed, now or later
		return 0, full(errors.Join(err, f.Truncate(offset)))
	}
	return n, full(werr)
}

// Commit implements [hub.Blobs].
func (s *Store) Commit(ctx context.Context, id, digest string) error {
	incoming, whole, err := s.paths(id)
	if err != nil {
		return err
	}
	defer s.lock(id)()
	if _, err := os.Stat(whole); err == nil {
		return full(s.settle(whole))
	}
	f, err := os.Open(incoming)
	if errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("upload %w", hub.ErrNotFound)
	}
	if err != nil {
		return err
	}
	h := sha256.New()
	_, err = io.Copy(h, f)
	if err == nil {
		err = f.Sync()
	}
	f.Close()
	if err != nil {
		return full(err)
	}
	if hex.EncodeToString(h.Sum(nil)) != digest {
		if err := remove(incoming); err != nil {
			return err
		}
		return hub.ErrDigest
	}
	if err := os.Rename(incoming, whole); err != nil {
		return full(err)
	}
	return full(s.settle(whole))
}

// settle makes the name of a file durable, up to the store's folder. It is
// called whenever a name is relied on: the process that made it may have died
// before it could.
func (s *Store) settle(path string) error {
	top := filepath.Join(s.dir, "parts")
	for d := filepath.Dir(path); len(d) >= len(top); d = filepath.Dir(d) {
		if err := syncDir(d); err != nil {
			return err
		}
	}
	return nil
}

// Open implements [hub.Blobs].
func (s *Store) Open(ctx context.Context, id string) (io.ReadCloser, error) {
	_, whole, err := s.paths(id)
	if err != nil {
		return nil, err
	}
	f, err := os.Open(whole)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("part %w", hub.ErrNotFound)
	}
	return f, err
}

// Drop implements [hub.Blobs].
func (s *Store) Drop(ctx context.Context, id string) error {
	incoming, whole, err := s.paths(id)
	if err != nil {
		return err
	}
	defer s.lock(id)()
	if err := remove(incoming); err != nil {
		return err
	}
	return remove(whole)
}

// remove removes a file durably; one that is not there is no error.
func remove(path string) error {
	err := os.Remove(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}
