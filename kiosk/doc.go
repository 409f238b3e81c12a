// Package kiosk is the vocabulary of Tambo and its specification: what an
// encounter is, who may be enrolled under which agreement, what a match means,
// what crosses the road to the hub, and what proves that it arrived. Every other
// room speaks in these types. Start reading here.
//
// It does no input or output, reads no clock, holds no key and decides nothing:
// rules live in [tambo/kiosk/policy], the order of an encounter's steps in
// [tambo/kiosk/intake], storage in [tambo/store], transport in [tambo/sync/wire].
//
// # One encounter, from arrival to purge
//
//	draft ⇄ parked → complete → (held: second person) → sealed → thin-delivered → delivered → purged
//	refused by the hub, with its reason · abandoned by the officer
//
// An [Encounter] is one meeting with one person. Its walk is a list of [Step]s
// composed from the [Agreement] in force and the kind of visit. Every act on it is
// an [Event] and is kept. Captures ([Capture]) and what could not be captured
// ([Exception]) stand side by side: nothing poor or missing is accepted silently.
// A [Search] is committed as an event, and travels to the hub, before anybody sees
// it. When the encounter is sealed its parts are encrypted to their recipients and
// listed in a signed [Manifest]; from then on the kiosk cannot read them back, and
// only an [IndexCard] remains searchable. A thin [Receipt] says that the hub can
// match, a complete one permits purge, and nothing else does.
//
// Terms are those of ISO/IEC 2382-37 (biometrics), ISO/IEC 19794-6 and 29794-6
// (iris), ICAO Doc 9303 (documents) and ANSI/NIST-ITL 1-2011 (interchange).
package kiosk
