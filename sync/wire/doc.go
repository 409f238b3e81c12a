// Package wire is what crosses the road between a kiosk and the hub: routes,
// messages, receipts, provisioning codes and problems. Both sides import it, so
// that there is one definition of every byte; docs/PROTOCOL.md tells it in words.
//
// It opens no connection, keeps nothing and decides nothing: the kiosk's side is
// [tambo/sync/courier], the hub's is [tambo/sync/hub]. No message holds a name, a
// number or an image in the clear: parts arrive sealed to their recipients
// ([tambo/store/seal]), and documents about people go down sealed to the kiosk.
//
// Every decoder is strict (unknown fields, trailing bytes and second spellings
// are errors), bounded in size and fuzzed: it returns [ErrMessage] and never
// panics.
//
// Standards: HTTP problems RFC 9457; uploads tus 1.0.0 (core, creation);
// receipts and checkpoints signed notes (golang.org/x/mod/sumdb/note, C2SP
// signed-note) over Ed25519; proofs RFC 6962.
package wire
