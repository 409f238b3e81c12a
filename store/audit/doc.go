// Package audit is the kiosk's tamper-evident log: every act is an entry in a
// Merkle tree (RFC 6962, by golang.org/x/mod/sumdb/tlog), whose checkpoints
// (C2SP tlog-checkpoint) the kiosk signs as notes and the hub witnesses. Whoever
// changes or drops an entry that was witnessed cannot hide it.
//
// An entry is a code, an operator's label, an encounter's random id and a time.
// It never holds a name, a number, a template or any other personal data, and
// the log never removes an entry.
//
// Two files lie in the log's folder. entries holds one JSON line an entry and is
// synced before [Log.Append] returns; hashes holds the tree's hashes and follows
// it. A third, checkpoint, keeps the last signed state, against which the log is
// held when it is opened.
package audit
