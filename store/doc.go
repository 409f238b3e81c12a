// Package store is the vault: what a kiosk keeps between a person's arrival and
// the hub's receipt, and who may open it.
//
// A [Vault] is open from boot with nobody signed in. That is the machine tier:
// identity, signed documents, the outbox of sealed packages, receipts, purge, the
// audit log. [Vault.Unlock] adds [Subjects], the tier of data about people:
// drafts, index cards, watchlists, what came down sealed. [Subjects.Lock] takes
// it away again.
//
// What a method has returned without error is durable: synced, and there again
// after a power cut. Order is what makes that so. A new thing is written whole
// and synced under a key of its own before the index names it; the index commits
// once; only then is the old thing's key erased and its file removed. Opening
// the vault finishes what a cut left over: keys and files that the index does
// not name are of no encounter.
//
// Secrecy rests on keys, because bbolt frees pages and does not erase them. Every
// draft, sealed package, index card and list has its own random key in keys.tbl
// ([tambo/store/keyring]); erasing that slot is what destroys the thing. Values
// are XChaCha20-Poly1305 with their file, bucket, name and schema version as
// associated data.
//
// The package never sends anything, never reads back what it sealed to a
// recipient, and never destroys an undelivered record. It decides nothing that
// belongs to policy or intake: whether a step may follow another, whether an
// agreement permits enrolment.
package store
