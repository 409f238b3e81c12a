// Package hub is the hub's side of the road: it provisions kiosks, takes sealed
// packages exactly once, matches them, raises alerts, and sends down signed
// documents.
//
// A package arrives in two commits. When its manifest and thin parts are
// durable, one transaction makes the thin record, the match job and the thin
// receipt; when every part is durable with its SHA-256, another makes the record
// and the complete receipt. Receipts are entries of a Merkle log and never
// change: the same package gets the same bytes however often it is sent.
//
// The hub never reads a part that it need not: it opens templates with the
// matcher's key, and nothing else. It never merges two people, never calls a
// candidate a person (an alert is unconfirmed until somebody has looked), and
// never logs personal data. What it keeps lies behind [Store], for which
// [tambo/sync/hub/embedded] is the default and [tambo/sync/hub/hubtest] the
// conformance suite.
//
// Standards: tus 1.0.0 (uploads), TLS 1.3 with client certificates (RFC 8446,
// RFC 5280), HPKE (RFC 9180, by store/seal), signed notes and RFC 6962 proofs
// (golang.org/x/mod), HTTP problems (RFC 9457).
package hub
