// Package powercut is for tests: a file system in memory (FUSE) that records
// every write, sync, rename and removal that a process makes, and from that
// record builds what a disk might hold had the power been cut at any moment.
//
// What was synced is there. Of what was not, every 4 KiB page is, at random, as
// it was at the last sync or as it was after any of the later writes to it, and
// of every folder's changes some first ones are there and the rest are not. That
// is what POSIX promises and no more: renaming syncs nothing, and a synced file
// whose folder was not synced may have no name.
//
// It never simulates a disk that loses or corrupts what it said was synced. It is
// never linked into a program.
package powercut

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"

	fusefs "github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
)

// SaidFile is the name of a file at the root whose lines are not content but
// marks in the record: what the process had promised by then.
const SaidFile = "said"

type opKind uint8

const (
	opWrite opKind = iota
	opTruncate
	opSync // of a file or folder
	opLink // name in folder dir now means ino
	opUnlink
	opRename // within dir
	opMark
)

type op struct {
	kind     opKind
	ino, dir uint64
	name, to string
	off      int64 // or the new size
	data     []byte
}

// Recorder is a mounted file system and its record.
type Recorder struct {
	server *fuse.Server

	mu    sync.Mutex
	next  uint64
	base  map[uint64]*node // as mounted: durable
	ops   []op
	names map[uint64]string // last name of each file
	said  string            // the begun line
}

// node is a file or folder, live or as it was mounted.
type node struct {
	fusefs.Inode
	r    *Recorder
	ino  uint64
	dir  bool
	mode uint32
	data []byte
	kids map[string]uint64 // of the base only
}

var (
	_ fusefs.NodeCreater   = (*node)(nil)
	_ fusefs.NodeMkdirer   = (*node)(nil)
	_ fusefs.NodeUnlinker  = (*node)(nil)
	_ fusefs.NodeRmdirer   = (*node)(nil)
	_ fusefs.NodeRenamer   = (*node)(nil)
	_ fusefs.NodeFsyncer   = (*node)(nil)
	_ fusefs.NodeOpener    = (*node)(nil)
	_ fusefs.NodeReader    = (*node)(nil)
	_ fusefs.NodeWriter    = (*node)(nil)
	_ fusefs.NodeGetattrer = (*node)(nil)
	_ fusefs.NodeSetattrer = (*node)(nil)
	_ fusefs.NodeStatfser  = (*node)(nil)
)

// Mount mounts a file system at mountpoint whose durable content is base's. It
// needs /dev/fuse and the right to mount.
func Mount(mountpoint, base string) (*Recorder, error) {
	r := &Recorder{base: map[uint64]*node{}, names: map[uint64]string{}}
	root := r.newNode(true, 0o755)
	opts := &fusefs.Options{MountOptions: fuse.MountOptions{DirectMountStrict: true, FsName: "powercut", DisableXAttrs: true}}
	opts.OnAdd = func(ctx context.Context) {
		if err := r.load(ctx, root, base); err != nil {
			panic(err)
		}
	}
	var err error
	r.server, err = fusefs.Mount(mountpoint, root, opts)
	return r, err
}

// Unmount ends recording. No process may have files open.
func (r *Recorder) Unmount() error { return r.server.Unmount() }

func (r *Recorder) newNode(dir bool, mode uint32) *node {
	r.next++
	return &node{r: r, ino: r.next, dir: dir, mode: mode}
}

// load copies a folder into the tree and into the base.
func (r *Recorder) load(ctx context.Context, n *node, path string) error {
	kept := &node{ino: n.ino, dir: true, mode: n.mode, kids: map[string]uint64{}}
	r.base[n.ino] = kept
	entries, err := os.ReadDir(path)
	if err != nil {
		return err
	}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			return err
		}
		child := r.newNode(e.IsDir(), uint32(info.Mode().Perm()))
		kept.kids[e.Name()] = child.ino
		r.names[child.ino] = e.Name()
		kind := uint32(fuse.S_IFREG)
		if e.IsDir() {
			kind = fuse.S_IFDIR
		}
		n.AddChild(e.Name(), n.NewPersistentInode(ctx, child, fusefs.StableAttr{Mode: kind, Ino: child.ino}), true)
		if e.IsDir() {
			if err := r.load(ctx, child, filepath.Join(path, e.Name())); err != nil {
				return err
			}
			continue
		}
		if child.data, err = os.ReadFile(filepath.Join(path, e.Name())); err != nil {
			return err
		}
		r.base[child.ino] = &node{ino: child.ino, mode: child.mode, data: bytes.Clone(child.data)}
	}
	return nil
}

func (r *Recorder) record(o op) { r.ops = append(r.ops, o) }

func (n *node) add(ctx context.Context, name string, dir bool, mode uint32, out *fuse.EntryOut) *fusefs.Inode {
	n.r.mu.Lock()
	defer n.r.mu.Unlock()
	child := n.r.newNode(dir, mode&0o777)
	kind := uint32(fuse.S_IFREG)
	if dir {
		kind = fuse.S_IFDIR
	}
	if name != SaidFile {
		made := op{kind: opLink, ino: child.ino, dir: n.ino, name: name, off: int64(child.mode)}
		if dir {
			made.to = "dir"
		}
		n.r.record(made)
	}
	n.r.names[child.ino] = name
	out.Attr.Mode = kind | child.mode
	return n.NewPersistentInode(ctx, child, fusefs.StableAttr{Mode: kind, Ino: child.ino})
}

func (n *node) Create(ctx context.Context, name string, flags, mode uint32, out *fuse.EntryOut) (*fusefs.Inode, fusefs.FileHandle, uint32, syscall.Errno) {
	return n.add(ctx, name, false, mode, out), nil, 0, 0
}

func (n *node) Mkdir(ctx context.Context, name string, mode uint32, out *fuse.EntryOut) (*fusefs.Inode, syscall.Errno) {
	return n.add(ctx, name, true, mode, out), 0
}

func (n *node) Unlink(ctx context.Context, name string) syscall.Errno {
	n.r.mu.Lock()
	defer n.r.mu.Unlock()
	n.r.record(op{kind: opUnlink, dir: n.ino, name: name})
	return 0
}

func (n *node) Rmdir(ctx context.Context, name string) syscall.Errno { return n.Unlink(ctx, name) }

func (n *node) Rename(ctx context.Context, name string, parent fusefs.InodeEmbedder, to string, flags uint32) syscall.Errno {
	if p, ok := parent.(*node); !ok || p.ino != n.ino || flags != 0 {
		return syscall.EXDEV // the vault renames within a folder only
	}
	n.r.mu.Lock()
	defer n.r.mu.Unlock()
	n.r.record(op{kind: opRename, dir: n.ino, name: name, to: to})
	return 0
}

func (n *node) Fsync(ctx context.Context, f fusefs.FileHandle, flags uint32) syscall.Errno {
	n.r.mu.Lock()
	defer n.r.mu.Unlock()
	n.r.record(op{kind: opSync, ino: n.ino})
	return 0
}

func (n *node) Open(ctx context.Context, flags uint32) (fusefs.FileHandle, uint32, syscall.Errno) {
	return nil, 0, 0
}

func (n *node) Read(ctx context.Context, f fusefs.FileHandle, dest []byte, off int64) (fuse.ReadResult, syscall.Errno) {
	n.r.mu.Lock()
	defer n.r.mu.Unlock()
	from := min(off, int64(len(n.data)))
	return fuse.ReadResultData(bytes.Clone(n.data[from:min(off+int64(len(dest)), int64(len(n.data)))])), 0
}

func (n *node) Write(ctx context.Context, f fusefs.FileHandle, data []byte, off int64) (uint32, syscall.Errno) {
	n.r.mu.Lock()
	defer n.r.mu.Unlock()
	if n.r.names[n.ino] == SaidFile {
		// One line may come in two writes.
		n.r.said += string(data)
		for {
			line, rest, ok := strings.Cut(n.r.said, "\n")
			if !ok {
				break
			}
			n.r.record(op{kind: opMark, name: line})
			n.r.said = rest
		}
	} else {
		n.r.record(op{kind: opWrite, ino: n.ino, off: off, data: bytes.Clone(data)})
	}
	n.data = put(n.data, off, data)
	return uint32(len(data)), 0
}

func (n *node) Setattr(ctx context.Context, f fusefs.FileHandle, in *fuse.SetAttrIn, out *fuse.AttrOut) syscall.Errno {
	n.r.mu.Lock()
	defer n.r.mu.Unlock()
	if size, ok := in.GetSize(); ok && int64(size) != int64(len(n.data)) {
		n.r.record(op{kind: opTruncate, ino: n.ino, off: int64(size)})
		n.data = resize(n.data, int64(size))
	}
	if mode, ok := in.GetMode(); ok {
		n.mode = mode & 0o777
	}
	n.attr(&out.Attr)
	return 0
}

func (n *node) Getattr(ctx context.Context, f fusefs.FileHandle, out *fuse.AttrOut) syscall.Errno {
	n.r.mu.Lock()
	defer n.r.mu.Unlock()
	n.attr(&out.Attr)
	return 0
}

func (n *node) attr(a *fuse.Attr) {
	a.Mode, a.Size, a.Ino = n.mode, uint64(len(n.data)), n.ino
	if n.dir {
		a.Mode |= fuse.S_IFDIR
	} else {
		a.Mode |= fuse.S_IFREG
	}
}

func (n *node) Statfs(ctx context.Context, out *fuse.StatfsOut) syscall.Errno {
	out.Bsize, out.Blocks, out.Bfree, out.Bavail = 4096, 1<<24, 1<<23, 1<<23
	return 0
}

func put(b []byte, off int64, data []byte) []byte {
	if end := off + int64(len(data)); end > int64(len(b)) {
		b = resize(b, end)
	}
	copy(b[off:], data)
	return b
}

func resize(b []byte, size int64) []byte {
	if size <= int64(len(b)) {
		return b[:size:size]
	}
	return append(b, make([]byte, size-int64(len(b)))...)
}
