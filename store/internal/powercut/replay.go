package powercut

import (
	"bytes"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
)

const pageSize = 4096

// Len is the number of recorded operations: a cut may come before any of them,
// or after the last.
func (r *Recorder) Len() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.ops)
}

// disk is what a disk holds for sure, and what it may hold besides.
type disk struct {
	files map[uint64]*file
	dirs  map[uint64]*folder
	lax   func(name string) bool
	names map[uint64]string
}

type file struct {
	mode    uint32
	durable []byte
	pending []piece
}

// piece is a write within one page, or a change of size.
type piece struct {
	off      int64
	data     []byte
	truncate bool
}

type folder struct {
	durable map[string]uint64
	pending []op
}

// Replay writes into dir (which must exist) what the disk might hold had the
// power been cut before operation cut, and returns what had been said by then.
// lax names files and folders whose syncs do nothing: a test that does not notice
// that has no teeth.
func (r *Recorder) Replay(dir string, cut int, rng *rand.Rand, lax func(name string) bool) (said []string, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	d := &disk{files: map[uint64]*file{}, dirs: map[uint64]*folder{}, lax: lax, names: r.names}
	for ino, n := range r.base {
		if n.dir {
			d.dirs[ino] = &folder{durable: maps.Clone(n.kids)}
		} else {
			d.files[ino] = &file{mode: n.mode, durable: bytes.Clone(n.data)}
		}
	}
	for _, o := range r.ops[:cut] {
		if o.kind == opMark {
			said = append(said, o.name)
		} else {
			d.apply(o)
		}
	}
	// One cut in four loses all that may be lost, one in eight nothing.
	luck := rng.IntN(8)
	for _, ino := range slices.Sorted(maps.Keys(d.files)) {
		d.files[ino].settle(rng, luck)
	}
	for _, ino := range slices.Sorted(maps.Keys(d.dirs)) {
		f := d.dirs[ino]
		f.settle(chance(rng, luck, len(f.pending)))
	}
	return said, d.write(dir, 1)
}

// chance says how many of n ordered changes reached the disk.
func chance(rng *rand.Rand, luck, n int) int {
	switch {
	case luck < 2:
		return 0
	case luck == 7:
		return n
	}
	return rng.IntN(n + 1)
}

func (d *disk) apply(o op) {
	switch o.kind {
	case opWrite:
		f := d.files[o.ino]
		for at := int64(0); at < int64(len(o.data)); {
			end := min(int64(len(o.data)), at+pageSize-(o.off+at)%pageSize)
			f.pending = append(f.pending, piece{off: o.off + at, data: o.data[at:end]})
			at = end
		}
	case opTruncate:
		f := d.files[o.ino]
		f.pending = append(f.pending, piece{off: o.off, truncate: true})
	case opLink:
		if o.to == "dir" {
			d.dirs[o.ino] = &folder{durable: map[string]uint64{}}
		} else {
			d.files[o.ino] = &file{mode: uint32(o.off)}
		}
		d.dirs[o.dir].pending = append(d.dirs[o.dir].pending, o)
	case opUnlink, opRename:
		d.dirs[o.dir].pending = append(d.dirs[o.dir].pending, o)
	case opSync:
		if d.lax != nil && d.lax(d.names[o.ino]) {
			return
		}
		if f := d.files[o.ino]; f != nil {
			for _, p := range f.pending {
				f.take(p)
			}
			f.pending = nil
		} else if f := d.dirs[o.ino]; f != nil {
			f.settle(len(f.pending))
		}
	}
}

func (f *file) take(p piece) {
	if p.truncate {
		f.durable = resize(f.durable, p.off)
	} else {
		f.durable = put(f.durable, p.off, p.data)
	}
}

// settle decides what of the pending writes reached the disk: for every page,
// some first ones.
func (f *file) settle(rng *rand.Rand, luck int) {
	pages := map[int64][]piece{}
	for _, p := range f.pending {
		n := p.off / pageSize
		if p.truncate {
			n = -1
		}
		pages[n] = append(pages[n], p)
	}
	for _, n := range slices.Sorted(maps.Keys(pages)) {
		for _, p := range pages[n][:chance(rng, luck, len(pages[n]))] {
			f.take(p)
		}
	}
	f.pending = nil
}

// settle makes the first n pending changes of a folder so.
func (f *folder) settle(n int) {
	for _, o := range f.pending[:n] {
		switch o.kind {
		case opLink:
			f.durable[o.name] = o.ino
		case opUnlink:
			delete(f.durable, o.name)
		case opRename:
			if ino, ok := f.durable[o.name]; ok {
				f.durable[o.to] = ino
				delete(f.durable, o.name)
			}
		}
	}
	f.pending = f.pending[n:]
}

func (d *disk) write(dir string, ino uint64) error {
	for name, child := range d.dirs[ino].durable {
		path := filepath.Join(dir, name)
		if f := d.files[child]; f != nil {
			if err := os.WriteFile(path, f.durable, os.FileMode(f.mode)); err != nil {
				return err
			}
			continue
		}
		if err := os.Mkdir(path, 0o700); err != nil {
			return err
		}
		if err := d.write(path, child); err != nil {
			return err
		}
	}
	return nil
}
