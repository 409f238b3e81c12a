package keyring

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"tambo/store/internal/box"
	"tambo/store/internal/twin"
)

// MachineKeeper keeps the machine key: a file here, a TPM later. Create makes
// and keeps a fresh key for the vault in dir and fails if there is one; Load
// returns it. Both return box.KeySize random bytes.
type MachineKeeper interface {
	Create(dir string) ([]byte, error)
	Load(dir string) ([]byte, error)
}

// FileKeeper keeps the machine key in dir/machine.key, readable by its owner
// only. It protects against nobody who reads the disk: see docs/VAULT.md.
type FileKeeper struct{}

var _ MachineKeeper = FileKeeper{}

const (
	machineFile  = "machine.key"
	machineMagic = "tambo machine key 1\n"
)

// ErrMachineKey says that the machine key is missing, malformed or readable by
// others.
var ErrMachineKey = errors.New("machine key cannot be used")

// Create implements [MachineKeeper].
func (FileKeeper) Create(dir string) ([]byte, error) {
	key := make([]byte, box.KeySize)
	rand.Read(key)
	f, err := os.OpenFile(filepath.Join(dir, machineFile), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if _, err := f.WriteString(machineMagic + hex.EncodeToString(key) + "\n"); err != nil {
		return nil, err
	}
	if err := f.Sync(); err != nil {
		return nil, err
	}
	return key, twin.SyncDir(dir)
}

// Load implements [MachineKeeper].
func (FileKeeper) Load(dir string) ([]byte, error) {
	path := filepath.Join(dir, machineFile)
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("%w: %w; restore it from the provisioning backup or provision the kiosk again", ErrMachineKey, err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("%w: %s may be read by others; run: chmod 600 %s", ErrMachineKey, machineFile, path)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMachineKey, err)
	}
	text, ok := bytes.CutPrefix(b, []byte(machineMagic))
	key, err := hex.DecodeString(string(bytes.TrimSpace(text)))
	if !ok || err != nil || len(key) != box.KeySize {
		return nil, fmt.Errorf("%w: %s is not a machine key", ErrMachineKey, machineFile)
	}
	return key, nil
}
