package kerneltest

import (
	"bufio"
	"bytes"
	"context"
	"debug/elf"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// Image is an initial file system in the making: a cpio archive in the kernel's
// "newc" format (Documentation/driver-api/early-userspace/buffer-format.rst),
// not compressed, since an emulated processor is slow at that.
type Image struct {
	kit   *Kit
	files map[string]file
	order []string // of the modules, as they must be loaded
}

type file struct {
	mode uint32 // with the type bits of cpio
	host string // where its content is
	data []byte // or its content, or the target of a link
}

// Type bits of a mode.
const (
	modeDir  = 0o040000
	modeFile = 0o100000
	modeLink = 0o120000
)

// NewImage makes an empty file system with the folders that a guest needs.
func NewImage(k *Kit) *Image {
	i := &Image{kit: k, files: map[string]file{}}
	for _, d := range []string{"dev", "proc", "sys", "run", "var", "bin", "sbin"} {
		i.dir(d)
	}
	return i
}

func (i *Image) dir(name string) {
	for ; name != "." && name != ""; name = path.Dir(name) {
		i.files[name] = file{mode: modeDir | 0o755}
	}
}

// Data puts a file with that content into the image. Paths begin with a slash.
func (i *Image) Data(guest string, data []byte) {
	i.add(guest, file{mode: modeFile | 0o644, data: data})
}

func (i *Image) add(guest string, f file) {
	guest = strings.TrimPrefix(path.Clean(guest), "/")
	i.dir(path.Dir(guest))
	i.files[guest] = f
}

// Program puts an executable of the host, or of a package where host has no
// slash, into the image, with the shared libraries that it needs.
func (i *Image) Program(guest, host string) error {
	if !strings.Contains(host, "/") {
		found, err := i.find(host)
		if err != nil {
			return err
		}
		host = found
	}
	i.add(guest, file{mode: modeFile | 0o755, host: host})
	return i.needs(host)
}

// find looks for a file by name in the packages.
func (i *Image) find(name string) (string, error) {
	found := ""
	err := filepath.WalkDir(i.kit.Root, func(p string, d fs.DirEntry, err error) error {
		if err == nil && d.Name() == name && !d.IsDir() && !strings.Contains(p, "/share/") && !strings.Contains(p, "/etc/") {
			found = p
			return fs.SkipAll
		}
		return err
	})
	if err == nil && found == "" {
		err = fmt.Errorf("kerneltest: no %s in the packages", name)
	}
	return found, err
}

// Tree copies a folder of the packages as it is.
func (i *Image) Tree(dir string) error {
	root := filepath.Join(i.kit.Root, dir)
	return filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(i.kit.Root, p)
		if err == nil {
			i.add(rel, file{mode: modeFile | 0o644, host: p})
		}
		return err
	})
}

// libDirs are where the loader looks without a cache.
var libDirs = []string{"lib/x86_64-linux-gnu", "usr/lib/x86_64-linux-gnu", "lib", "usr/lib", "lib64", "usr/lib64"}

// needs adds the libraries that an ELF file names, and theirs: from the packages
// first, so that they fit each other, else from the host.
func (i *Image) needs(host string) error {
	f, err := elf.Open(host)
	if err != nil {
		return fmt.Errorf("kerneltest: %s: %w", host, err)
	}
	defer f.Close()
	libs, err := f.ImportedLibraries()
	if err != nil {
		return err
	}
	for _, p := range f.Progs {
		if p.Type != elf.PT_INTERP {
			continue
		}
		name, err := io.ReadAll(p.Open())
		if err != nil {
			return err
		}
		interp := string(bytes.TrimRight(name, "\x00"))
		lib, err := i.library(path.Base(interp))
		if err != nil {
			return err
		}
		i.add(interp, file{mode: modeFile | 0o755, host: lib})
	}
	for _, l := range libs {
		guest := "usr/lib/x86_64-linux-gnu/" + l
		if _, have := i.files[guest]; have {
			continue
		}
		lib, err := i.library(l)
		if err != nil {
			return fmt.Errorf("%w, needed by %s", err, host)
		}
		i.add(guest, file{mode: modeFile | 0o755, host: lib})
		if err := i.needs(lib); err != nil {
			return err
		}
	}
	return nil
}

func (i *Image) library(name string) (string, error) {
	for _, root := range []string{i.kit.Root, "/"} {
		for _, d := range libDirs {
			p := filepath.Join(root, d, name)
			if real, err := filepath.EvalSymlinks(p); err == nil {
				return real, nil
			}
		}
	}
	return "", fmt.Errorf("kerneltest: no library %s", name)
}

// Modules adds kernel modules by name, with those that they need, to be loaded
// in an order that works. A name that the kernel has built in is left out.
func (i *Image) Modules(ctx context.Context, names ...string) error {
	where := map[string]string{}
	err := filepath.WalkDir(i.kit.Modules, func(p string, d fs.DirEntry, err error) error {
		if base, _, ok := strings.Cut(d.Name(), ".ko"); ok && err == nil && !d.IsDir() {
			where[strings.ReplaceAll(base, "-", "_")] = p
		}
		return err
	})
	if err != nil {
		return err
	}
	builtin, _ := os.ReadFile(filepath.Join(i.kit.Modules, "modules.builtin"))
	var add func(name string) error
	add = func(name string) error {
		name = strings.ReplaceAll(name, "-", "_")
		if slices.Contains(i.order, name) {
			return nil
		}
		p := where[name]
		if p == "" {
			if bytes.Contains(bytes.ReplaceAll(builtin, []byte("-"), []byte("_")), []byte("/"+name+".ko")) {
				return nil
			}
			return fmt.Errorf("kerneltest: this kernel has no module %s", name)
		}
		data, err := module(ctx, p)
		if err != nil {
			return err
		}
		deps, err := moduleNeeds(data)
		if err != nil {
			return fmt.Errorf("kerneltest: %s: %w", p, err)
		}
		for _, d := range deps {
			if err := add(d); err != nil {
				return err
			}
		}
		i.order = append(i.order, name)
		i.Data("/mod/"+name+".ko", data)
		return nil
	}
	for _, n := range names {
		if err := add(n); err != nil {
			return err
		}
	}
	i.Data("/mod/order", []byte(strings.Join(i.order, "\n")+"\n"))
	return nil
}

// module reads a module, which may be compressed.
func module(ctx context.Context, p string) ([]byte, error) {
	switch path.Ext(p) {
	case ".ko":
		return os.ReadFile(p)
	case ".xz":
		out, err := command(ctx, "", "xz", "-dc", p)
		return []byte(out), err
	case ".zst":
		out, err := command(ctx, "", "zstd", "-dcq", p)
		return []byte(out), err
	}
	return nil, fmt.Errorf("kerneltest: %s: compressed in a way that is not known", p)
}

// moduleNeeds reads "depends=" of a module's .modinfo.
func moduleNeeds(data []byte) ([]string, error) {
	f, err := elf.NewFile(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	s := f.Section(".modinfo")
	if s == nil {
		return nil, fmt.Errorf("no .modinfo")
	}
	info, err := s.Data()
	if err != nil {
		return nil, err
	}
	for _, kv := range strings.Split(string(info), "\x00") {
		if list, ok := strings.CutPrefix(kv, "depends="); ok && list != "" {
			return strings.Split(list, ","), nil
		}
	}
	return nil, nil
}

// WriteFile writes the archive.
func (i *Image) WriteFile(name string) (err error) {
	out, err := os.Create(name)
	if err != nil {
		return err
	}
	defer func() {
		if e := out.Close(); err == nil {
			err = e
		}
	}()
	w := bufio.NewWriterSize(out, 1<<20)
	names := make([]string, 0, len(i.files))
	for n := range i.files {
		names = append(names, n)
	}
	slices.Sort(names) // a folder before what is in it
	for ino, n := range names {
		f := i.files[n]
		if f.host != "" {
			if f.data, err = os.ReadFile(f.host); err != nil {
				return err
			}
		}
		entry(w, ino+1, n, f.mode, f.data)
	}
	entry(w, 0, "TRAILER!!!", 0, nil)
	return w.Flush()
}

// entry writes one member; errors stay in w until it is flushed.
func entry(w *bufio.Writer, ino int, name string, mode uint32, data []byte) {
	fmt.Fprintf(w, "070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X", ino, mode, 0, 0, 1, 0, len(data),
		0, 0, 0, 0, len(name)+1, 0)
	w.WriteString(name + "\x00")
	pad(w, 110+len(name)+1)
	w.Write(data)
	pad(w, len(data))
}

func pad(w *bufio.Writer, n int) {
	for ; n%4 != 0; n++ {
		w.WriteByte(0)
	}
}
