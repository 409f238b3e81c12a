package hub

import (
	"fmt"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"tambo/kiosk"
	"tambo/sync/wire"
)

// The hub's log is a Merkle tree (RFC 6962) whose entries are the receipts as
// they were given: signed notes. A receipt names its own index, so its place is
// known before it is signed, within the transaction that gives it.

func number(n int64) string { return fmt.Sprintf("%016d", n) }

// hashes reads stored hashes within a transaction.
func hashes(tx Tx) tlog.HashReader {
	return tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		out := make([]tlog.Hash, len(indexes))
		for i, n := range indexes {
			b, err := tx.Get(TableHashes, number(n))
			if err != nil {
				return nil, err
			}
			if len(b) != tlog.HashSize {
				return nil, fmt.Errorf("log: stored hash %d has %d bytes", n, len(b))
			}
			copy(out[i][:], b)
		}
		return out, nil
	})
}

// receipt signs a receipt at the log's end, appends it, and adds it to the
// package. The caller saves both rows in the same transaction.
func (h *Hub) receipt(tx Tx, m *metaHub, p *Package, kind kiosk.ReceiptKind, reason string) error {
	msg, err := wire.SignReceipt(kiosk.Receipt{
		Kind: kind, Kiosk: p.Manifest.Kiosk, Encounter: p.Manifest.Encounter, Manifest: p.Digest,
		LogIndex: m.Log, Time: h.now().UTC().Truncate(1e9), Reason: reason,
	}, h.signer)
	if err != nil {
		return err
	}
	stored, err := tlog.StoredHashes(m.Log, msg, hashes(tx))
	if err != nil {
		return err
	}
	first := tlog.StoredHashIndex(0, m.Log)
	for i, x := range stored {
		if err := tx.Put(TableHashes, number(first+int64(i)), x[:]); err != nil {
			return err
		}
	}
	if err := tx.Put(TableLog, number(m.Log), msg); err != nil {
		return err
	}
	m.Log++
	p.Receipts = append(p.Receipts, string(msg))
	return nil
}

// checkpoint returns the log's head as a signed note: origin, size and root,
// one a line (C2SP tlog-checkpoint). An empty log has the root of RFC 6962,
// SHA-256 of nothing.
func (h *Hub) checkpoint(tx Tx, m *metaHub) (string, error) {
	root, err := tlog.TreeHash(m.Log, hashes(tx))
	if err != nil {
		return "", err
	}
	text := fmt.Sprintf("%s\n%d\n%s\n", h.keys.Name, m.Log, root)
	b, err := note.Sign(&note.Note{Text: text}, h.signer)
	return string(b), err
}

// proof proves that an entry of a kiosk is in the log.
func (h *Hub) proof(tx Tx, k kiosk.KioskID, index int64) (*wire.ProofAnswer, error) {
	m, err := meta(tx)
	if err != nil {
		return nil, err
	}
	missing := wire.NewProblem(wire.CodeNotYours, "no receipt of this kiosk has log index %d", index)
	if index < 0 || index >= m.Log {
		return nil, missing
	}
	entry, err := tx.Get(TableLog, number(index))
	if err != nil {
		return nil, err
	}
	if !strings.Contains(string(entry), "\nkiosk: "+string(k)+"\n") {
		return nil, missing
	}
	path, err := tlog.ProveRecord(m.Log, index, hashes(tx))
	if err != nil {
		return nil, err
	}
	head, err := h.checkpoint(tx, m)
	if err != nil {
		return nil, err
	}
	return &wire.ProofAnswer{Index: index, Proof: path, Checkpoint: head}, nil
}
