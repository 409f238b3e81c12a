// Package boltcheck says whether a bbolt file is sound before bbolt opens it:
// bbolt panics on a corrupt page, sometimes in a goroutine of its own, where no
// caller can recover, and a file that is shorter than its pages kills the
// process with SIGBUS.
//
// It reads the meta page that bbolt would choose and walks everything that is
// reachable from it: page ids and types, element bounds, key order, nested
// buckets, the freelist, and that no page is used twice. It never writes, never
// calls bbolt, and says nothing about values: their seals do.
//
// The format is that of bbolt v1.5 (data file version 2), little-endian.
package boltcheck

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"os"
)

// ErrCorrupt says that the file would not be safe to open.
var ErrCorrupt = errors.New("database file is corrupt")

const (
	magic      = 0xED0CDAED
	version    = 2
	headerSize = 16
	elemSize   = 16
	metaSize   = 64

	flagBranch   = 0x01
	flagLeaf     = 0x02
	flagFreelist = 0x10
	flagBucket   = 0x01
	noFreelist   = ^uint64(0)
	maxDepth     = 64
)

// File checks the file at path.
func File(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	return Check(f, info.Size())
}

// Check checks a database of size bytes.
func Check(r io.ReaderAt, size int64) error {
	m, err := chooseMeta(r, size)
	if err != nil {
		return err
	}
	if m.pages < 2 || m.pages > uint64(size)/uint64(m.pageSize) {
		return corrupt("%d pages of %d bytes do not fit in %d", m.pages, m.pageSize, size)
	}
	w := &walker{r: r, meta: m, used: make([]bool, m.pages)}
	w.used[0], w.used[1] = true, true
	if err := w.tree(m.root, nil, nil, 0); err != nil {
		return err
	}
	return w.freelist()
}

type meta struct {
	pageSize              uint32
	root, freelist, pages uint64
	txid                  uint64
}

func corrupt(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrCorrupt, fmt.Sprintf(format, args...))
}

// chooseMeta returns the valid meta page with the higher transaction, as bbolt
// does.
func chooseMeta(r io.ReaderAt, size int64) (meta, error) {
	best, found := meta{}, false
	// The second meta page lies one page on; before one is known to be valid,
	// its size is a guess.
	for _, at := range []int64{0, 1024, 2048, 4096, 8192, 16384, 32768, 65536} {
		m, ok := readMeta(r, at)
		if !ok || at != 0 && int64(m.pageSize) != at {
			continue
		}
		if found && m.pageSize != best.pageSize {
			return best, corrupt("two page sizes, %d and %d", best.pageSize, m.pageSize)
		}
		if !found || m.txid > best.txid {
			best, found = m, true
		}
	}
	if !found {
		return best, corrupt("no valid meta page in %d bytes", size)
	}
	return best, nil
}

func readMeta(r io.ReaderAt, at int64) (m meta, ok bool) {
	b := make([]byte, headerSize+metaSize)
	if _, err := r.ReadAt(b, at); err != nil {
		return m, false
	}
	b = b[headerSize:]
	le := binary.LittleEndian
	h := fnv.New64a()
	h.Write(b[:56])
	m = meta{pageSize: le.Uint32(b[8:]), root: le.Uint64(b[16:]), freelist: le.Uint64(b[32:]), pages: le.Uint64(b[40:]), txid: le.Uint64(b[48:])}
	ok = le.Uint32(b) == magic && le.Uint32(b[4:]) == version && le.Uint64(b[56:]) == h.Sum64() &&
		m.pageSize >= 1024 && m.pageSize <= 1<<16 && m.pageSize&(m.pageSize-1) == 0
	return m, ok
}

type walker struct {
	r    io.ReaderAt
	meta meta
	used []bool
}

type page struct {
	id           uint64
	flags, count uint16
	body         []byte // the whole page with its header and overflow
}

// read reads page id with its overflow and marks it used.
func (w *walker) read(id uint64) (p page, err error) {
	if id < 2 || id >= w.meta.pages {
		return p, corrupt("page %d of %d", id, w.meta.pages)
	}
	head := make([]byte, headerSize)
	at := int64(id) * int64(w.meta.pageSize)
	if _, err := w.r.ReadAt(head, at); err != nil {
		return p, corrupt("page %d: %v", id, err)
	}
	le := binary.LittleEndian
	over := uint64(le.Uint32(head[12:]))
	if le.Uint64(head) != id || over >= w.meta.pages-id {
		return p, corrupt("page %d calls itself %d with %d more", id, le.Uint64(head), over)
	}
	for i := id; i <= id+over; i++ {
		if w.used[i] {
			return p, corrupt("page %d is used twice", i)
		}
		w.used[i] = true
	}
	p = page{id: id, flags: le.Uint16(head[8:]), count: le.Uint16(head[10:]), body: make([]byte, (over+1)*uint64(w.meta.pageSize))}
	if _, err := w.r.ReadAt(p.body, at); err != nil {
		return p, corrupt("page %d: %v", id, err)
	}
	return p, nil
}

// tree checks the tree below a page, whose keys must lie in [low, high).
func (w *walker) tree(id uint64, low, high []byte, depth int) error {
	if depth > maxDepth {
		return corrupt("page %d: deeper than %d", id, maxDepth)
	}
	p, err := w.read(id)
	if err != nil {
		return err
	}
	switch p.flags {
	case flagLeaf:
		return w.leaf(p, low, high, depth)
	case flagBranch:
		return w.branch(p, low, high, depth)
	}
	return corrupt("page %d: type %#x", id, p.flags)
}

func (w *walker) branch(p page, low, high []byte, depth int) error {
	if p.count == 0 {
		return corrupt("page %d: branch without children", p.id)
	}
	keys, children := make([][]byte, p.count), make([]uint64, p.count)
	for i := range keys {
		at := headerSize + i*elemSize
		if at+elemSize > len(p.body) {
			return corrupt("page %d: element %d lies outside", p.id, i)
		}
		le := binary.LittleEndian
		pos, ksize := uint64(le.Uint32(p.body[at:])), uint64(le.Uint32(p.body[at+4:]))
		key, ok := cut(p.body, uint64(at)+pos, ksize)
		if !ok || ksize == 0 {
			return corrupt("page %d: key %d lies outside", p.id, i)
		}
		keys[i], children[i] = key, le.Uint64(p.body[at+8:])
	}
	if err := ordered(p.id, keys, low, high); err != nil {
		return err
	}
	for i, child := range children {
		end := high
		if i+1 < len(keys) {
			end = keys[i+1]
		}
		if err := w.tree(child, keys[i], end, depth+1); err != nil {
			return err
		}
	}
	return nil
}

func (w *walker) leaf(p page, low, high []byte, depth int) error {
	keys := make([][]byte, p.count)
	for i := range keys {
		at := headerSize + i*elemSize
		if at+elemSize > len(p.body) {
			return corrupt("page %d: element %d lies outside", p.id, i)
		}
		le := binary.LittleEndian
		flags, pos := le.Uint32(p.body[at:]), uint64(le.Uint32(p.body[at+4:]))
		ksize, vsize := uint64(le.Uint32(p.body[at+8:])), uint64(le.Uint32(p.body[at+12:]))
		key, ok := cut(p.body, uint64(at)+pos, ksize)
		value, ok2 := cut(p.body, uint64(at)+pos+ksize, vsize)
		if !ok || !ok2 || ksize == 0 {
			return corrupt("page %d: value %d lies outside", p.id, i)
		}
		keys[i] = key
		switch flags {
		case 0:
		case flagBucket:
			if p.id == 0 {
				return corrupt("an inline bucket holds a bucket")
			}
			if err := w.bucket(value, depth); err != nil {
				return err
			}
		default:
			return corrupt("page %d: element flags %#x", p.id, flags)
		}
	}
	return ordered(p.id, keys, low, high)
}

// bucket checks a nested bucket: on pages of its own, or inline in its value.
func (w *walker) bucket(value []byte, depth int) error {
	if len(value) < headerSize {
		return corrupt("bucket header of %d bytes", len(value))
	}
	if root := binary.LittleEndian.Uint64(value); root != 0 {
		return w.tree(root, nil, nil, depth+1)
	}
	body := value[headerSize:]
	if len(body) < headerSize {
		return corrupt("inline bucket of %d bytes", len(body))
	}
	le := binary.LittleEndian
	if le.Uint64(body) != 0 || le.Uint16(body[8:]) != flagLeaf || le.Uint32(body[12:]) != 0 {
		return corrupt("inline bucket is not a leaf")
	}
	return w.leaf(page{id: 0, flags: flagLeaf, count: le.Uint16(body[10:]), body: body}, nil, nil, depth+1)
}

func ordered(id uint64, keys [][]byte, low, high []byte) error {
	for i, k := range keys {
		if i > 0 && bytes.Compare(keys[i-1], k) >= 0 || low != nil && bytes.Compare(k, low) < 0 || high != nil && bytes.Compare(k, high) >= 0 {
			return corrupt("page %d: key %d is out of order", id, i)
		}
	}
	return nil
}

func (w *walker) freelist() error {
	if w.meta.freelist == noFreelist {
		return nil
	}
	p, err := w.read(w.meta.freelist)
	if err != nil {
		return err
	}
	if p.flags != flagFreelist {
		return corrupt("page %d: type %#x, want the freelist", p.id, p.flags)
	}
	ids := p.body[headerSize:]
	n := uint64(p.count)
	if p.count == 0xFFFF {
		n, ids = binary.LittleEndian.Uint64(ids), ids[8:]
	}
	if n > uint64(len(ids)/8) {
		return corrupt("freelist of %d pages lies outside", n)
	}
	for i := range n {
		id := binary.LittleEndian.Uint64(ids[8*i:])
		if id < 2 || id >= w.meta.pages || w.used[id] {
			return corrupt("free page %d is used or outside", id)
		}
		w.used[id] = true
	}
	return nil
}

func cut(b []byte, at, n uint64) ([]byte, bool) {
	if at > uint64(len(b)) || n > uint64(len(b))-at {
		return nil, false
	}
	return b[at : at+n], true
}
