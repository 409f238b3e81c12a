package audit

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"tambo/kiosk"
)

// Entry is one act.
type Entry struct {
	At        kiosk.Instant     `json:"at"`
	Act       string            `json:"act"`                 // code, such as "signed in"
	Encounter kiosk.EncounterID `json:"encounter,omitempty"` // whom it was about, by random id
	By        string            `json:"by,omitempty"`        // operator label; empty: the machine
	Note      string            `json:"note,omitempty"`      // coded detail
}

// MaxEntry bounds an entry's JSON, in bytes.
const MaxEntry = 4 << 10

// Errors of the log.
var (
	// ErrTampered says that the entries do not give the hashes or the signed
	// checkpoint that stand beside them.
	ErrTampered = errors.New("audit log does not agree with itself")
	// ErrEntry says that an entry is too large or malformed.
	ErrEntry = errors.New("malformed audit entry")
)

const (
	entriesFile    = "entries"
	hashesFile     = "hashes"
	checkpointFile = "checkpoint"
)

// Log is an open log, safe for concurrent use.
type Log struct {
	mu      sync.Mutex
	dir     string
	signer  signer
	entries *os.File
	hashes  *os.File
	ends    []int64     // end offset of each entry's line
	tree    []tlog.Hash // stored hashes, in tlog's order
	last    Entry
	problem error
	broken  error
}

// Open opens the log in dir, making it if there is none. Checkpoints are signed
// by key under the name origin. A last line that a power cut tore is cut off:
// its Append never returned. A disagreement with the stored hashes or with the
// last checkpoint does not keep the log from going on; [Log.Problem] names it.
func Open(dir, origin string, key ed25519.PrivateKey) (*Log, error) {
	l := &Log{dir: dir, signer: signer{origin, key}}
	if _, err := note.NewVerifier(l.VerifierKey()); err != nil {
		return nil, fmt.Errorf("open audit log: origin %q: %w", origin, err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("open audit log: %w", err)
	}
	var err error
	if l.entries, err = os.OpenFile(filepath.Join(dir, entriesFile), os.O_RDWR|os.O_CREATE, 0o600); err != nil {
		return nil, fmt.Errorf("open audit log: %w", err)
	}
	if l.hashes, err = os.OpenFile(filepath.Join(dir, hashesFile), os.O_RDWR|os.O_CREATE, 0o600); err == nil {
		err = l.load()
	}
	if err != nil {
		l.Close()
		return nil, fmt.Errorf("open audit log: %w", err)
	}
	return l, nil
}

func (l *Log) load() error {
	text, err := io.ReadAll(l.entries)
	if err != nil {
		return err
	}
	stored, err := io.ReadAll(l.hashes)
	if err != nil {
		return err
	}
	at, whole := int64(0), len(stored)/tlog.HashSize
	for {
		line, _, ok := bytes.Cut(text[at:], []byte("\n"))
		if !ok {
			break
		}
		e, err := decode(line)
		if err != nil {
			// The end of a file that was not synced may read as anything. Further
			// in, it is damage, and what follows it is not guessed at.
			if n := tlog.StoredHashCount(int64(len(l.ends)) + 1); int(n) <= whole {
				l.problem = fmt.Errorf("%w: entry %d cannot be read; later ones are cut off", ErrTampered, len(l.ends))
			}
			break
		}
		if err := l.grow(line); err != nil {
			return err
		}
		at += int64(len(line)) + 1
		l.ends, l.last = append(l.ends, at), e
	}
	if at < int64(len(text)) {
		if err := l.setAside(text[at:]); err != nil {
			return err
		}
		if err := l.entries.Truncate(at); err != nil {
			return err
		}
		if err := l.entries.Sync(); err != nil {
			return err
		}
	}
	return errors.Join(l.compare(stored[:whole*tlog.HashSize]), l.compareCheckpoint())
}

// setAside keeps what is cut off a log that had been whole, for whoever looks
// into it.
func (l *Log) setAside(tail []byte) error {
	if l.problem == nil {
		return nil
	}
	return os.WriteFile(filepath.Join(l.dir, "cut-off"), tail, 0o600)
}

// compare holds the stored hashes against the entries' and rewrites them.
func (l *Log) compare(stored []byte) error {
	fresh := make([]byte, 0, len(l.tree)*tlog.HashSize)
	for _, h := range l.tree {
		fresh = append(fresh, h[:]...)
	}
	if bytes.Equal(stored, fresh) {
		_, err := l.hashes.Seek(0, io.SeekEnd)
		return err
	}
	// Hashes are not synced with each entry, so the file may be behind or hold
	// zeros; they are made again, and the checkpoint is what they are held
	// against. It cannot be ahead: an entry is durable before its hashes.
	if l.problem == nil && len(stored) > len(fresh) {
		l.problem = fmt.Errorf("%w: %d hashes stand beside %d entries", ErrTampered, len(stored)/tlog.HashSize, len(l.ends))
	}
	if _, err := l.hashes.WriteAt(fresh, 0); err != nil {
		return err
	}
	if err := l.hashes.Truncate(int64(len(fresh))); err != nil {
		return err
	}
	_, err := l.hashes.Seek(0, io.SeekEnd)
	return errors.Join(err, l.hashes.Sync())
}

func (l *Log) compareCheckpoint() error {
	b, err := os.ReadFile(filepath.Join(l.dir, checkpointFile))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	tree, err := l.readCheckpoint(b)
	if err != nil {
		l.problem = errors.Join(l.problem, fmt.Errorf("%w: checkpoint: %w", ErrTampered, err))
		return nil
	}
	if tree.N > int64(len(l.ends)) {
		l.problem = errors.Join(l.problem, fmt.Errorf("%w: checkpoint of %d entries, log has %d", ErrTampered, tree.N, len(l.ends)))
		return nil
	}
	if root, err := tlog.TreeHash(tree.N, l); err != nil || root != tree.Hash {
		l.problem = errors.Join(l.problem, fmt.Errorf("%w: the first %d entries are not those of the checkpoint", ErrTampered, tree.N))
	}
	return nil
}

// Problem says what was found wrong when the log was opened, nil if nothing.
// It is an [ErrTampered].
func (l *Log) Problem() error { return l.problem }

// Append adds an entry and returns its index once it is durable.
func (l *Log) Append(e Entry) (int64, error) {
	e.At.Time = e.At.Time.UTC()
	line, err := json.Marshal(e)
	if err != nil {
		return 0, fmt.Errorf("append: %w: %w", ErrEntry, err)
	}
	if len(line) > MaxEntry || e.Act == "" {
		return 0, fmt.Errorf("append: %w: %d bytes", ErrEntry, len(line))
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.broken != nil {
		return 0, fmt.Errorf("append: %w", l.broken)
	}
	end := l.end()
	if _, err := l.entries.WriteAt(append(line, '\n'), end); err != nil {
		if l.entries.Truncate(end) != nil {
			l.broken = fmt.Errorf("write failed before, open the log again: %w", err)
		}
		return 0, fmt.Errorf("append: %w", err)
	}
	if err := l.entries.Sync(); err != nil {
		l.broken = fmt.Errorf("sync failed before, open the log again: %w", err)
		return 0, fmt.Errorf("append: %w", err)
	}
	before := len(l.tree)
	if err := l.grow(line); err != nil {
		l.broken = err
		return 0, fmt.Errorf("append: %w", err)
	}
	l.ends, l.last = append(l.ends, end+int64(len(line))+1), e
	var fresh []byte
	for _, h := range l.tree[before:] {
		fresh = append(fresh, h[:]...)
	}
	// The entry is durable already; its hashes can be made again from it.
	l.hashes.WriteAt(fresh, int64(before)*tlog.HashSize)
	return int64(len(l.ends)) - 1, nil
}

func (l *Log) end() int64 {
	if len(l.ends) == 0 {
		return 0
	}
	return l.ends[len(l.ends)-1]
}

func (l *Log) grow(line []byte) error {
	fresh, err := tlog.StoredHashes(int64(len(l.ends)), line, l)
	if err != nil {
		return err
	}
	l.tree = append(l.tree, fresh...)
	return nil
}

// ReadHashes implements [tlog.HashReader]; the caller holds the lock.
func (l *Log) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(indexes))
	for i, n := range indexes {
		if n < 0 || n >= int64(len(l.tree)) {
			return nil, fmt.Errorf("hash %d of %d", n, len(l.tree))
		}
		out[i] = l.tree[n]
	}
	return out, nil
}

// Size is the number of entries.
func (l *Log) Size() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return int64(len(l.ends))
}

// Last returns the last entry; false if there is none.
func (l *Log) Last() (Entry, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.last, len(l.ends) > 0
}

// Entry returns entry i, and the bytes that its leaf hashes.
func (l *Log) Entry(i int64) (Entry, []byte, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if i < 0 || i >= int64(len(l.ends)) {
		return Entry{}, nil, fmt.Errorf("audit entry %d of %d: out of range", i, len(l.ends))
	}
	from := int64(0)
	if i > 0 {
		from = l.ends[i-1]
	}
	line := make([]byte, l.ends[i]-from-1)
	if _, err := l.entries.ReadAt(line, from); err != nil {
		return Entry{}, nil, fmt.Errorf("audit entry %d: %w", i, err)
	}
	e, err := decode(line)
	return e, line, err
}

// Close closes the files.
func (l *Log) Close() error {
	var errs []error
	for _, f := range []*os.File{l.entries, l.hashes} {
		if f != nil {
			errs = append(errs, f.Close())
		}
	}
	return errors.Join(errs...)
}

func decode(line []byte) (e Entry, err error) {
	if len(line) > MaxEntry {
		return e, fmt.Errorf("%w: %d bytes", ErrEntry, len(line))
	}
	if err := json.Unmarshal(line, &e); err != nil {
		return e, fmt.Errorf("%w: %w", ErrEntry, err)
	}
	if again, err := json.Marshal(e); err != nil || !bytes.Equal(again, line) {
		return e, fmt.Errorf("%w: not in the one encoding of its value", ErrEntry)
	}
	return e, nil
}

// signer signs notes with an Ed25519 key (C2SP signed-note, type 0x01).
type signer struct {
	name string
	key  ed25519.PrivateKey
}

var _ note.Signer = signer{}

func (s signer) Name() string { return s.name }

func (s signer) KeyHash() uint32 {
	sum := sha256.Sum256([]byte(s.name + "\n\x01" + string(s.key.Public().(ed25519.PublicKey))))
	return binary.BigEndian.Uint32(sum[:])
}

func (s signer) Sign(msg []byte) ([]byte, error) { return ed25519.Sign(s.key, msg), nil }
