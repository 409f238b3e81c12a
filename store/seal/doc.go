// Package seal makes the things that leave the kiosk, and opens those that come
// to it: sealed parts, the signed manifest that lists them, and the documents
// that the hub signs.
//
// A sealed part ([Seal], [Open]) is HPKE (RFC 9180) in base mode with
// MLKEM768-X25519 (0x647a, draft-ietf-hpke-pq), HKDF-SHA256 and
// ChaCha20-Poly1305. Base mode proves nothing about the sender, so the kiosk's
// Ed25519 signature travels inside the sealed stream, and the manifest of
// ciphertext digests is signed last. Whoever holds only the kiosk's disk cannot
// read a part again: the private key is with the recipient.
//
//	part     = "tambop1\n" enc[1120] chunk…
//	chunk    = AEAD(aad = number[8] last[1], up to 65,536 bytes of stream)
//	stream   = content origin[64]
//	origin   = Ed25519("tambo part origin 1\n" info size[8] SHA-256(content))
//	info     = "tambo part 1\n" and each field of [Binding] after its length
//	manifest = "tambo manifest 1\n" Ed25519[64] JSON
//	document = "tambo document 1\n" Ed25519[64] header length[4] JSON header, body
//	down     = "tambod1\n" enc[1120] chunk… (a signed document, to one kiosk)
//
// Numbers are big-endian. Every chunk but the last is full, so one content has
// one chunking; a chunk that is missing, repeated, swapped or cut off fails.
//
// The package is pure: it opens no file, reads no clock and keeps no state. It
// never decides whether a document is still valid or whom a part should go to.
package seal
