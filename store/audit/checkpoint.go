package audit

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// MaxCheckpoint bounds a checkpoint that is read, in bytes.
const MaxCheckpoint = 4 << 10

// VerifierKey is the note verifier key of checkpoints, "name+hash+key".
func (l *Log) VerifierKey() string {
	v, err := note.NewEd25519VerifierKey(l.signer.name, l.signer.key.Public().(ed25519.PublicKey))
	if err != nil {
		panic(err) // the key is of another size: a programmer's mistake
	}
	return v
}

// Checkpoint signs the present state and keeps it, durably, as what the log
// must never go behind.
func (l *Log) Checkpoint() ([]byte, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	b, err := l.sign()
	if err != nil {
		return nil, fmt.Errorf("checkpoint: %w", err)
	}
	if err := replaceFile(filepath.Join(l.dir, checkpointFile), b); err != nil {
		return nil, fmt.Errorf("checkpoint: %w", err)
	}
	return b, nil
}

func (l *Log) sign() ([]byte, error) {
	n := int64(len(l.ends))
	root, err := tlog.TreeHash(n, l)
	if err != nil {
		return nil, err
	}
	return note.Sign(&note.Note{Text: formatCheckpoint(l.signer.name, tlog.Tree{N: n, Hash: root})}, l.signer)
}

// Witness makes the request of C2SP tlog-witness: "old N", the proof that the
// first old entries are unchanged, and a fresh checkpoint. old is the size that
// the witness saw last, 0 if none.
func (l *Log) Witness(old int64) ([]byte, error) {
	checkpoint, err := l.Checkpoint()
	if err != nil {
		return nil, err
	}
	tree, err := l.readCheckpoint(checkpoint)
	if err != nil {
		return nil, err
	}
	proof, err := l.ProveTree(tree.N, old)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "old %d\n", old)
	for _, h := range proof {
		fmt.Fprintf(&b, "%s\n", h)
	}
	b.WriteByte('\n')
	b.Write(checkpoint)
	return b.Bytes(), nil
}

// ProveTree proves that the tree of size n extends that of size old.
func (l *Log) ProveTree(n, old int64) (tlog.TreeProof, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if old < 0 || old > n || n > int64(len(l.ends)) {
		return nil, fmt.Errorf("prove that %d of %d entries are unchanged: log has %d", old, n, len(l.ends))
	}
	if old == 0 || old == n {
		return nil, nil
	}
	return tlog.ProveTree(n, old, l)
}

// ProveEntry proves that entry i is in the tree of size n.
func (l *Log) ProveEntry(n, i int64) (tlog.RecordProof, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if n > int64(len(l.ends)) {
		return nil, fmt.Errorf("prove entry %d of %d: log has %d", i, n, len(l.ends))
	}
	return tlog.ProveRecord(n, i, l)
}

// OpenCheckpoint verifies a checkpoint by the log's verifier and returns its
// tree. Every failure is an error that wraps the cause; nothing is trusted before
// the signature is.
func OpenCheckpoint(b []byte, v note.Verifier) (tlog.Tree, error) {
	if len(b) > MaxCheckpoint {
		return tlog.Tree{}, fmt.Errorf("checkpoint of %d bytes", len(b))
	}
	n, err := note.Open(b, note.VerifierList(v))
	if err != nil {
		return tlog.Tree{}, err
	}
	return parseCheckpoint(v.Name(), n.Text)
}

func (l *Log) readCheckpoint(b []byte) (tlog.Tree, error) {
	v, err := note.NewVerifier(l.VerifierKey())
	if err != nil {
		return tlog.Tree{}, err
	}
	return OpenCheckpoint(b, v)
}

// formatCheckpoint writes the text of C2SP tlog-checkpoint.
func formatCheckpoint(origin string, t tlog.Tree) string {
	return fmt.Sprintf("%s\n%d\n%s\n", origin, t.N, base64.StdEncoding.EncodeToString(t.Hash[:]))
}

func parseCheckpoint(origin, text string) (t tlog.Tree, err error) {
	lines := strings.Split(text, "\n")
	if len(lines) < 4 || lines[0] != origin {
		return t, errors.New("checkpoint is not of this log")
	}
	if t.N, err = strconv.ParseInt(lines[1], 10, 64); err != nil || t.N < 0 {
		return t, errors.New("checkpoint: size")
	}
	root, err := base64.StdEncoding.DecodeString(lines[2])
	if err != nil || len(root) != tlog.HashSize {
		return t, errors.New("checkpoint: root")
	}
	copy(t.Hash[:], root)
	if formatCheckpoint(origin, t) != text {
		return t, errors.New("checkpoint: another spelling")
	}
	return t, nil
}

// replaceFile writes a small file durably: temp, sync, rename, sync the folder.
func replaceFile(path string, b []byte) error {
	tmp := path + ".new"
	f, err := os.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	err = errors.Join(err, f.Sync(), f.Close())
	if err != nil {
		return err
	}
	if err := os.Rename(tmp, path); err != nil {
		return err
	}
	d, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
