package embedded

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"tambo/sync/hub"
)

// ErrNoKeys says that the folder is not that of a hub yet.
var ErrNoKeys = errors.New("no hub here: run tambo-hub init first")

// ReadKeys reads the hub's keys from its folder.
func ReadKeys(dir string) (*hub.Keys, error) {
	b, err := os.ReadFile(filepath.Join(dir, "keys.json"))
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("%w (%s)", ErrNoKeys, dir)
	}
	if err != nil {
		return nil, err
	}
	return hub.ParseKeys(b)
}

// WriteKeys writes the hub's keys into its folder, readable by the owner only.
// It never overwrites keys that are there.
func WriteKeys(dir string, k *hub.Keys) error {
	b, err := k.Marshal()
	if err != nil {
		return err
	}
	if err := mkdir(dir); err != nil {
		return full(err)
	}
	path := filepath.Join(dir, "keys.json")
	if _, err := os.Lstat(path); err == nil {
		return fmt.Errorf("%s: %w", path, os.ErrExist)
	}
	return WriteFile(path, b)
}

// WriteFile writes a file whole or not at all, durably: a temporary file,
// fsync, rename, fsync of the folder. Its mode is 0600.
func WriteFile(path string, b []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*") // mode 0600
	if err != nil {
		return full(err)
	}
	defer os.Remove(f.Name())
	_, err = f.Write(b)
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err == nil {
		err = syncDir(filepath.Dir(path))
	}
	return full(err)
}
