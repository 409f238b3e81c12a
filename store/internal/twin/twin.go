// Package twin keeps a file of pages, each written twice in place, so that a
// cut at any moment leaves every page either old or new, and so that what is
// overwritten is gone from the file: no copy is left behind as a rename or a
// database's free page would leave one.
//
// A write goes to all first copies, is synced, goes to all second copies, and
// is synced again. On opening, the valid copy with the higher generation wins
// and the other is rewritten from it, which also finishes an erasure that was
// cut short. A page of which neither copy is valid is named by [File.Damaged]
// and does not keep the others from being read.
//
//	page = generation[8] length[4] SHA-256(magic, number, generation, length, payload)[32] payload zeros
//
// The package knows nothing of keys and does not encrypt. What a flash
// translation layer may remember of overwritten pages is outside its reach.
package twin

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
)

// HeaderSize is what a page spends on its header, in bytes.
const HeaderSize = 8 + 4 + sha256.Size

// ErrDamaged says that a page has no valid copy.
var ErrDamaged = errors.New("page is damaged in both copies")

// File is an open file of pages. It is safe for concurrent use.
type File struct {
	mu     sync.Mutex
	f      *os.File
	magic  string
	size   int
	pages  []page
	broken error
}

type page struct {
	gen     uint64
	payload []byte
	damaged bool
}

// Create makes a new empty file of pages of size bytes, durable in its folder.
// Magic is at most 40 bytes and tells the file's purpose.
func Create(path, magic string, size int) (*File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	t := &File{f: f, magic: magic, size: size}
	if err := t.Write(map[int][]byte{0: []byte(magic)}); err != nil {
		f.Close()
		return nil, err
	}
	if err := SyncDir(filepath.Dir(path)); err != nil {
		f.Close()
		return nil, err
	}
	return t, nil
}

// Open opens a file that Create made, with the same magic and size, and makes
// both copies of every page equal again.
func Open(path, magic string, size int) (*File, error) {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	t := &File{f: f, magic: magic, size: size}
	if err := t.load(); err != nil {
		f.Close()
		return nil, fmt.Errorf("%s: %w", filepath.Base(path), err)
	}
	return t, nil
}

func (t *File) load() error {
	info, err := t.f.Stat()
	if err != nil {
		return err
	}
	pair := int64(2 * t.size)
	n := int((info.Size() + pair - 1) / pair)
	repair := false
	for i := 0; i < n; i++ {
		a, okA, err := t.read(i, 0)
		if err != nil {
			return err
		}
		b, okB, err := t.read(i, 1)
		if err != nil {
			return err
		}
		best := a
		if !okA || okB && b.gen > a.gen {
			best = b
		}
		switch {
		case !okA && !okB && int64(i+1)*pair > info.Size():
			// The file was growing and this page's first copy was never whole.
			if err := t.f.Truncate(int64(i) * pair); err != nil {
				return err
			}
			repair = true
			continue
		case !okA && !okB:
			best = page{damaged: true}
		case !okA || !okB || a.gen != b.gen:
			for half := range 2 {
				if err := t.write(i, half, best, t.size-HeaderSize); err != nil {
					return err
				}
			}
			repair = true
		}
		t.pages = append(t.pages, best)
	}
	if len(t.pages) == 0 || t.pages[0].damaged || !bytes.Equal(t.pages[0].payload, []byte(t.magic)) {
		return fmt.Errorf("%w: header is not %q", ErrDamaged, t.magic)
	}
	if repair {
		return t.f.Sync()
	}
	return nil
}

// Len is the number of pages after the header; pages are numbered from 1.
func (t *File) Len() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.pages) - 1
}

// Page returns the payload of page i. The bytes must not be changed.
func (t *File) Page(i int) ([]byte, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if i < 1 || i >= len(t.pages) {
		return nil, fmt.Errorf("page %d of %d: out of range", i, len(t.pages)-1)
	}
	if t.pages[i].damaged {
		return nil, fmt.Errorf("page %d: %w", i, ErrDamaged)
	}
	return t.pages[i].payload, nil
}

// Damaged lists the pages without a valid copy.
func (t *File) Damaged() []int {
	t.mu.Lock()
	defer t.mu.Unlock()
	var out []int
	for i, p := range t.pages {
		if p.damaged {
			out = append(out, i)
		}
	}
	return out
}

// Write replaces pages, each whole, and returns when both copies are durable.
// Pages just past the end are added. After an error the pages read as before;
// what was asked may still come true when the file is opened again. After an
// error of syncing the file accepts no more writes until then.
func (t *File) Write(pages map[int][]byte) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	replaced := make(map[int][]byte, len(pages))
	added := 0
	for i, payload := range pages {
		if i < 0 || len(payload) > t.size-HeaderSize {
			return fmt.Errorf("page %d of %d bytes: too large for pages of %d", i, len(payload), t.size)
		}
		if i < len(t.pages) {
			replaced[i] = payload
		} else {
			added++
		}
	}
	// New pages one by one: only the file's last page may be half there.
	for range added {
		payload, ok := pages[len(t.pages)]
		if !ok {
			return fmt.Errorf("page %d: would leave a gap", len(t.pages))
		}
		if err := t.commit(map[int][]byte{len(t.pages): payload}); err != nil {
			return err
		}
	}
	if len(replaced) == 0 {
		return nil
	}
	return t.commit(replaced)
}

func (t *File) commit(pages map[int][]byte) error {
	if t.broken != nil {
		return t.broken
	}
	fresh := make(map[int]page, len(pages))
	for i, payload := range pages {
		p := page{gen: 1, payload: bytes.Clone(payload)}
		if i < len(t.pages) {
			p.gen = t.pages[i].gen + 1
		}
		fresh[i] = p
	}
	for half := range 2 {
		for i, p := range fresh {
			old := t.size - HeaderSize // a new or damaged page is written whole
			if i < len(t.pages) && !t.pages[i].damaged {
				old = len(t.pages[i].payload)
			}
			if err := t.write(i, half, p, old); err != nil {
				return t.undo(half, err)
			}
		}
		if err := t.f.Sync(); err != nil {
			t.broken = fmt.Errorf("sync failed before, open the vault again: %w", err)
			return err
		}
	}
	for i, p := range fresh {
		if i == len(t.pages) {
			t.pages = append(t.pages, page{})
		}
		t.pages[i] = p
	}
	return nil
}

// undo answers a failed write. While the first copies are written the second
// ones still hold the old pages, and a growing file is cut back. Once the first
// copies are durable the new pages have won, so memory must not say otherwise.
func (t *File) undo(half int, err error) error {
	if half == 0 && t.f.Truncate(int64(len(t.pages))*int64(2*t.size)) == nil {
		return err
	}
	t.broken = fmt.Errorf("write failed before, open the vault again: %w", err)
	return err
}

// write puts one copy in its place, with zeros over what stood there before.
func (t *File) write(i, half int, p page, old int) error {
	buf := make([]byte, HeaderSize, HeaderSize+max(len(p.payload), old))
	binary.BigEndian.PutUint64(buf, p.gen)
	binary.BigEndian.PutUint32(buf[8:], uint32(len(p.payload)))
	sum := t.sum(i, p.gen, p.payload)
	copy(buf[12:], sum[:])
	buf = append(buf, p.payload...)
	buf = buf[:cap(buf)][:HeaderSize+max(len(p.payload), old)]
	_, err := t.f.WriteAt(buf, t.offset(i, half))
	return err
}

func (t *File) read(i, half int) (page, bool, error) {
	buf := make([]byte, t.size)
	n, err := t.f.ReadAt(buf, t.offset(i, half))
	if err != nil && err != io.EOF {
		return page{}, false, err
	}
	if n < HeaderSize {
		return page{}, false, nil
	}
	p := page{gen: binary.BigEndian.Uint64(buf)}
	length := int(binary.BigEndian.Uint32(buf[8:]))
	if length > t.size-HeaderSize || n < HeaderSize+length {
		return page{}, false, nil
	}
	p.payload = bytes.Clone(buf[HeaderSize : HeaderSize+length])
	sum := t.sum(i, p.gen, p.payload)
	for _, b := range buf[HeaderSize+length : n] {
		if b != 0 { // the end of something longer, not yet overwritten
			return page{}, false, nil
		}
	}
	return p, bytes.Equal(sum[:], buf[12:HeaderSize]), nil
}

func (t *File) sum(i int, gen uint64, payload []byte) [sha256.Size]byte {
	h := make([]byte, 0, 64+len(payload))
	h = append(h, t.magic...)
	h = append(h, 0)
	h = binary.BigEndian.AppendUint64(h, uint64(i))
	h = binary.BigEndian.AppendUint64(h, gen)
	h = binary.BigEndian.AppendUint32(h, uint32(len(payload)))
	return sha256.Sum256(append(h, payload...))
}

func (t *File) offset(i, half int) int64 { return int64(2*i+half) * int64(t.size) }

// Close closes the file.
func (t *File) Close() error { return t.f.Close() }

// SyncDir makes the names in a folder durable.
func SyncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
