package hub

import (
	"context"
	"errors"
	"io"
)

// Errors of a [Store].
var (
	// ErrNotFound: there is no such row or blob.
	ErrNotFound = errors.New("not found")
	// ErrFull: there is no space left. What was acknowledged is still there.
	ErrFull = errors.New("the hub's storage is full")
	// ErrDigest: the bytes of a blob are not those that were declared. The blob
	// is dropped; its upload begins again.
	ErrDigest = errors.New("digest does not agree")
	// ErrOffset: the blob stands at another offset.
	ErrOffset = errors.New("offset does not agree")
	// ErrStop ends a scan early; Scan then returns nil.
	ErrStop = errors.New("stop")
)

// Table names a table of rows. The list is append-only.
type Table string

// Tables. Keys are text, ordered by bytes.
const (
	TableMeta       Table = "meta"       // one row each: hub, agreement, roster, log size, counters
	TableKiosks     Table = "kiosks"     // kiosk id
	TableCodes      Table = "codes"      // hex hash of a provisioning code
	TableAgreements Table = "agreements" // hex digest
	TablePackages   Table = "packages"   // hex manifest digest
	TableParts      Table = "parts"      // upload id
	TableRecords    Table = "records"    // kiosk/encounter: which package holds it
	TableJobs       Table = "jobs"       // order
	TableMatches    Table = "matches"    // hex manifest digest
	TableGallery    Table = "gallery"    // encounter
	TableLists      Table = "lists"      // list name
	TableEntries    Table = "entries"    // list/entry
	TableAlerts     Table = "alerts"     // kiosk/alert
	TableLog        Table = "log"        // entry number, 16 digits
	TableHashes     Table = "hashes"     // stored hash number, 16 digits
)

// Tables lists every table.
var Tables = []Table{
	TableMeta, TableKiosks, TableCodes, TableAgreements, TablePackages, TableParts, TableRecords, TableJobs,
	TableMatches, TableGallery, TableLists, TableEntries, TableAlerts, TableLog, TableHashes,
}

// Store keeps what the hub must never lose: rows in serializable transactions,
// and blobs (sealed parts) beside them. All methods may be called concurrently.
//
// When Update, Append, Commit or Drop returns nil, the effect survives a power
// cut. Each may return [ErrFull]; then it had no effect, but for Append.
type Store interface {
	// Update runs f in a read-write transaction: all of it or none. It may run f
	// more than once, so f must have no other effect. An error of f undoes the
	// transaction and is returned.
	Update(ctx context.Context, f func(Tx) error) error
	// View runs f in a read-only transaction that sees one state.
	View(ctx context.Context, f func(Tx) error) error
	Blobs
	// Close waits for running transactions and closes the store.
	Close() error
}

// Tx reads and writes rows within one transaction. Values that it returns are
// valid until the transaction ends; values given to Put are copied.
type Tx interface {
	// Get returns a row, or [ErrNotFound].
	Get(t Table, key string) ([]byte, error)
	// Put writes a row.
	Put(t Table, key string, value []byte) error
	// Delete removes a row; a row that is not there is no error.
	Delete(t Table, key string) error
	// Scan calls f for every row whose key begins with prefix, in key order.
	// f must not write to the table.
	Scan(t Table, prefix string, f func(key string, value []byte) error) error
}

// Blobs keeps sealed parts by upload id (wire.UploadID). A blob is begun,
// grows, and is committed once; after that it never changes.
type Blobs interface {
	// Begin makes an empty blob. A blob that is there, begun or committed, is
	// left as it is: beginning again never truncates.
	Begin(ctx context.Context, id string) error
	// Size returns how many bytes of a blob are durable, and whether it is
	// committed; [ErrNotFound] if it was never begun.
	Size(ctx context.Context, id string) (size int64, committed bool, err error)
	// Append writes src at offset, which must be the blob's size ([ErrOffset]
	// otherwise), and returns how many bytes are durable now. When src fails, or
	// space runs out, the bytes before that are kept, made durable and counted,
	// beside the error.
	Append(ctx context.Context, id string, offset int64, src io.Reader) (int64, error)
	// Commit verifies the SHA-256 (hex) of the whole blob and keeps it for good.
	// It is idempotent. On [ErrDigest] the blob is dropped.
	Commit(ctx context.Context, id, digest string) error
	// Open reads a committed blob.
	Open(ctx context.Context, id string) (io.ReadCloser, error)
	// Drop removes a blob; one that is not there is no error.
	Drop(ctx context.Context, id string) error
}
