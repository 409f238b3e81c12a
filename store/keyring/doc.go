// Package keyring holds the kiosk's keys and says who may use them.
//
// Two files lie in the vault's folder, outside any database, because a database
// frees pages but does not erase them; both are written in place, every page
// twice (see internal/twin), and synced:
//
//   - keys.tbl: fixed slots, each with one random key that one thing in the vault
//     is sealed with, wrapped by a tier key. Erasing a slot is what makes the
//     thing unreadable.
//   - ring.tbl: the operators' slots, sealed by the machine key.
//
// There are two tiers. The machine key is there from boot (a root-only file, or
// whatever [MachineKeeper] the kiosk has) and opens what needs nobody signed in.
// The subject key opens what is about people. It is not stored: each operator
// has a key pair (HPKE MLKEM768-X25519) whose private half is wrapped under the
// operator's password (Argon2id, RFC 9106), and the subject key is sealed to the
// public halves of officers and supervisors only. So revoking somebody can give
// every other operator a new subject key without their passwords. A
// technician's password opens a private half to which nothing was sealed; a
// keeper's opens the provisioning key.
//
// Wrong passwords are counted in ring.tbl before they are tried, so that
// cutting the power does not give a try back.
//
// The package never stores or logs a password or an unwrapped key. It wipes
// keys when a session is locked as far as Go allows: copies that the runtime or
// the cipher made may stay in memory until they are overwritten.
package keyring
