package store

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"sync"

	bolt "go.etcd.io/bbolt"

	"tambo/kiosk"
	"tambo/store/boltcheck"
	"tambo/store/internal/box"
	"tambo/store/internal/twin"
	"tambo/store/keyring"
)

// An encounter's file is a bbolt file of its own, sealed throughout by one key.
// Bucket "self" says in the clear which slot of keys.tbl that is, so that the
// file can be found again if the index is lost; "toc" names its blobs; "data"
// holds them in chunks.
const (
	bSelf     = "self"
	bTOC      = "toc"
	bData     = "data"
	chunkSize = 64 << 10
)

// self is what a file says of itself. It holds nothing about the person.
type self struct {
	Kind      string            `json:"kind"` // kindDraft or kindSealed
	Encounter kiosk.EncounterID `json:"encounter"`
	Ref       keyring.Ref       `json:"ref"`
}

const (
	kindDraft  = "draft"
	kindSealed = "sealed"
)

// encFile is an open encounter file.
type encFile struct {
	db   *bolt.DB
	name string
	key  keyring.Key
	mu   sync.Mutex
}

type blobInfo struct {
	Name string `json:"name"`
	Size int64  `json:"size"`
}

func newFileName() string {
	var b [10]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:]) + ".enc"
}

func (v *Vault) path(name string) string { return filepath.Join(v.dir, encDir, name) }

// createEnc makes a file with its blobs, whole and durable, but not yet named by
// the index. It stays open.
func (v *Vault) createEnc(kind string, id kiosk.EncounterID, ref keyring.Ref, key keyring.Key, blobs map[string][]byte) (f *encFile, err error) {
	f = &encFile{name: newFileName(), key: key}
	path := v.path(f.name)
	defer func() {
		if err != nil {
			f.close()
			os.Remove(path) // the key was never named either: opening again erases it
			f, err = nil, full(err)
		}
	}()
	size := 0
	for _, b := range blobs {
		size += len(b)
	}
	// Synced once at the end: until the index names the file, it may be anything.
	o := &bolt.Options{Timeout: openTimeout, NoSync: true, NoFreelistSync: true, FreelistType: bolt.FreelistMapType, NoStatistics: true, NoGrowSync: true,
		InitialMmapSize: size + size/4 + 1<<20}
	if f.db, err = bolt.Open(path, 0o600, o); err != nil {
		return f, err
	}
	if err = f.update(blobs, &self{kind, id, ref}); err != nil {
		return f, err
	}
	if !v.fault.skipFileSync {
		if err = syncFile(path); err != nil {
			return f, err
		}
		if err = twin.SyncDir(filepath.Dir(path)); err != nil {
			return f, err
		}
	}
	f.db.NoSync, f.db.NoGrowSync = v.fault.skipFileSync, false
	return f, nil
}

func syncFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// openEnc opens a file that the index names, once it has been checked.
func (v *Vault) openEnc(name string, key keyring.Key, readOnly bool) (*encFile, error) {
	path := v.path(name)
	const do = "the rest of the vault is not touched; keep the file and tell the hub's keeper"
	if err := boltcheck.File(path); err != nil {
		return nil, v.damaged(&ErrDamaged{encDir + "/" + name, do, err})
	}
	db, err := bolt.Open(path, 0o600, &bolt.Options{Timeout: openTimeout, NoFreelistSync: true, FreelistType: bolt.FreelistMapType, NoStatistics: true, ReadOnly: readOnly})
	if err != nil {
		return nil, full(err)
	}
	return &encFile{db: db, name: name, key: key}, nil
}

// damaged notes damage for Status and returns it.
func (v *Vault) damaged(e *ErrDamaged) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, d := range v.damage {
		if d == e.Error() {
			return e
		}
	}
	v.damage = append(v.damage, e.Error())
	return e
}

func (f *encFile) close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.key.Wipe()
	if f.db == nil {
		return nil
	}
	db := f.db
	f.db = nil
	return db.Close()
}

func (f *encFile) place(bucket, name string, chunk, size int64) []byte {
	return box.Place(schema, f.name, bucket, name, strconv.FormatInt(chunk, 10), strconv.FormatInt(size, 10))
}

func (f *encFile) blind(name string) []byte { return box.Blind(f.key[:], "blob", name) }

// update writes blobs in one transaction, replacing those of the same name.
func (f *encFile) update(blobs map[string][]byte, s *self) error {
	return f.db.Update(func(tx *bolt.Tx) error {
		for _, b := range []string{bSelf, bTOC, bData} {
			if _, err := tx.CreateBucketIfNotExists([]byte(b)); err != nil {
				return err
			}
		}
		if s != nil {
			b, err := json.Marshal(s)
			if err != nil {
				return err
			}
			if err := tx.Bucket([]byte(bSelf)).Put([]byte(bSelf), b); err != nil {
				return err
			}
		}
		for name, b := range blobs {
			if err := f.put(tx, name, b); err != nil {
				return err
			}
		}
		return nil
	})
}

func (f *encFile) put(tx *bolt.Tx, name string, b []byte) error {
	toc, data, key := tx.Bucket([]byte(bTOC)), tx.Bucket([]byte(bData)), f.blind(name)
	old, err := f.info(toc, key)
	if err != nil && !errors.Is(err, ErrNoImage) {
		return err
	}
	size := int64(len(b))
	for at := int64(0); at < max(old.Size, size); at += chunkSize {
		k := chunkKey(key, at/chunkSize)
		if at >= size {
			if err := data.Delete(k); err != nil {
				return err
			}
			continue
		}
		chunk := box.Seal(f.key[:], f.place(bData, name, at/chunkSize, size), b[at:min(at+chunkSize, size)])
		if err := data.Put(k, chunk); err != nil {
			return err
		}
	}
	head, err := json.Marshal(blobInfo{name, size})
	if err != nil {
		return err
	}
	return toc.Put(key, box.Seal(f.key[:], f.place(bTOC, string(key), 0, 0), head))
}

func chunkKey(blob []byte, n int64) []byte {
	return binary.BigEndian.AppendUint32(append(make([]byte, 0, len(blob)+4), blob...), uint32(n))
}

func (f *encFile) info(toc *bolt.Bucket, key []byte) (i blobInfo, err error) {
	b := toc.Get(key)
	if b == nil {
		return i, ErrNoImage
	}
	head, err := box.Open(f.key[:], f.place(bTOC, string(key), 0, 0), b)
	if err == nil {
		err = json.Unmarshal(head, &i)
	}
	if err != nil || i.Size < 0 {
		return i, &ErrDamaged{encDir + "/" + f.name, "part of it cannot be read", err}
	}
	return i, nil
}

// view runs fn in a read transaction on an open file.
func (f *encFile) view(fn func(toc, data *bolt.Bucket) error) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.db == nil {
		return ErrLocked
	}
	return f.db.View(func(tx *bolt.Tx) error {
		toc, data := tx.Bucket([]byte(bTOC)), tx.Bucket([]byte(bData))
		if toc == nil || data == nil {
			return &ErrDamaged{encDir + "/" + f.name, "it is not an encounter file", errors.New("buckets are missing")}
		}
		return fn(toc, data)
	})
}

// get returns a whole blob.
func (f *encFile) get(name string) (out []byte, err error) {
	err = f.view(func(toc, data *bolt.Bucket) error {
		key := f.blind(name)
		info, err := f.info(toc, key)
		if err != nil {
			return err
		}
		for at := int64(0); at < info.Size; at += chunkSize {
			b, err := f.chunk(data, key, info, at/chunkSize)
			if err != nil {
				return err
			}
			out = append(out, b...)
		}
		return nil
	})
	return out, err
}

func (f *encFile) chunk(data *bolt.Bucket, key []byte, i blobInfo, n int64) ([]byte, error) {
	b, err := box.Open(f.key[:], f.place(bData, i.Name, n, i.Size), data.Get(chunkKey(key, n)))
	if err == nil && int64(len(b)) != min(chunkSize, i.Size-n*chunkSize) {
		err = errors.New("chunk of another length")
	}
	if err != nil {
		return nil, &ErrDamaged{encDir + "/" + f.name, "part of it cannot be read", fmt.Errorf("chunk %d: %w", n, err)}
	}
	return b, nil
}

// list returns every blob of the file.
func (f *encFile) list() (out []blobInfo, err error) {
	err = f.view(func(toc, _ *bolt.Bucket) error {
		return toc.ForEach(func(k, _ []byte) error {
			i, err := f.info(toc, k)
			out = append(out, i)
			return err
		})
	})
	return out, err
}

// blobReader reads one blob a chunk at a time.
type blobReader struct {
	f    *encFile
	key  []byte
	info blobInfo
	at   int64
	n    int64 // chunk that is held, -1 if none
	held []byte
}

func (f *encFile) reader(name string) (*blobReader, error) {
	r := &blobReader{f: f, key: f.blind(name), n: -1}
	err := f.view(func(toc, _ *bolt.Bucket) (err error) {
		r.info, err = f.info(toc, r.key)
		return err
	})
	return r, err
}

func (r *blobReader) Read(p []byte) (int, error) {
	if r.at >= r.info.Size {
		return 0, io.EOF
	}
	if n := r.at / chunkSize; n != r.n {
		err := r.f.view(func(_, data *bolt.Bucket) (err error) {
			r.held, err = r.f.chunk(data, r.key, r.info, n)
			return err
		})
		if err != nil {
			return 0, err
		}
		r.n = n
	}
	n := copy(p, r.held[r.at%chunkSize:])
	r.at += int64(n)
	return n, nil
}

func (r *blobReader) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += r.at
	case io.SeekEnd:
		offset += r.info.Size
	}
	if offset < 0 {
		return 0, errors.New("seek before the start")
	}
	r.at = offset
	return offset, nil
}

func (r *blobReader) Close() error { return r.f.close() }
