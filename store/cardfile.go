package store

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"time"

	bolt "go.etcd.io/bbolt"

	"tambo/kiosk"
	"tambo/store/internal/box"
	"tambo/store/keyring"
)

// An index card at rest, integers big-endian (cards of the first form, JSON, are
// read too: [Vault.decodeFirstCard]):
//
//	0   4  "TC2\n"
//	4   2  length of the envelope
//	6      envelope, of the machine tier, so that a card ends with nobody signed
//	       in: slot[4] id[12] of its key, end (Unix seconds)[8], encounter
//	       then the body, by the card's own key: length of JSON[4], the card as
//	       JSON without its templates, and for each template eye[1],
//	       length of the engine's name[1], of the data[4], name, data
//
// Its search codes lie apart, in a bucket of their own, so that a million of
// them are read without their templates: slot[4] id[12], and by the card's own
// key end[8], length of the encounter's name[1], name, codes. A card without
// them is searchable all the same, more slowly.
const (
	cardMagic = "TC2\n"
	refSize   = 16
	bCodes    = "codes"
	foreverAt = math.MaxInt64 // the end of a card that has none
)

var errCard = errors.New("an index card is malformed")

func appendRef(b []byte, r keyring.Ref) []byte {
	return append(binary.BigEndian.AppendUint32(b, r.Slot), r.ID[:]...)
}

func parseRef(b []byte) (r keyring.Ref) {
	r.Slot = binary.BigEndian.Uint32(b)
	copy(r.ID[:], b[4:refSize])
	return r
}

func appendEnd(b []byte, t time.Time) []byte {
	if t.IsZero() {
		return binary.BigEndian.AppendUint64(b, foreverAt)
	}
	return binary.BigEndian.AppendUint64(b, uint64(t.Unix()))
}

func parseEnd(b []byte) time.Time {
	if s := int64(binary.BigEndian.Uint64(b)); s != foreverAt {
		return time.Unix(s, 0).UTC()
	}
	return time.Time{}
}

// encodeCard is decodeCard's inverse.
func (v *Vault) encodeCard(name []byte, r *cardRecord) []byte {
	envelope := append(appendEnd(appendRef(nil, r.Ref), r.Ends), r.Encounter...)
	sealed := v.sealValue(bCards, name, envelope)
	out := append([]byte(cardMagic), byte(len(sealed)>>8), byte(len(sealed)))
	return append(append(out, sealed...), r.Body...)
}

func (v *Vault) decodeCard(name, b []byte) (r cardRecord, err error) {
	if !bytes.HasPrefix(b, []byte(cardMagic)) {
		return v.decodeFirstCard(name, b)
	}
	b = b[len(cardMagic):]
	if len(b) < 2 || len(b) < 2+int(binary.BigEndian.Uint16(b)) {
		return r, &ErrDamaged{indexFile, "one index card cannot be read", errCard}
	}
	n := int(binary.BigEndian.Uint16(b))
	plain, err := v.openValue(bCards, name, b[2:2+n])
	if err != nil {
		return r, err
	}
	if len(plain) < refSize+8 {
		return r, &ErrDamaged{indexFile, "one index card cannot be read", errCard}
	}
	r.Ref, r.Ends = parseRef(plain), parseEnd(plain[refSize:])
	r.Encounter, r.Body = kiosk.EncounterID(plain[refSize+8:]), b[2+n:]
	return r, nil
}

// decodeFirstCard reads the first form of a card, all of it JSON: in the machine
// tier the record, in its body the card with its templates. It has no search
// codes. Nothing writes it any more.
func (v *Vault) decodeFirstCard(name, b []byte) (r cardRecord, err error) {
	plain, err := v.openValue(bCards, name, b)
	if err != nil {
		return r, err
	}
	var first struct {
		Encounter kiosk.EncounterID `json:"encounter"`
		Ref       keyring.Ref       `json:"ref"`
		Ends      time.Time         `json:"ends"`
		Body      []byte            `json:"body"`
	}
	if err := json.Unmarshal(plain, &first); err != nil {
		return r, &ErrDamaged{indexFile, "one index card cannot be read", err}
	}
	return cardRecord(first), nil
}

// encodeBody is what stands inside a card's own sealing.
func encodeBody(c *kiosk.IndexCard) ([]byte, error) {
	bare := *c
	bare.Templates = nil
	j, err := json.Marshal(&bare)
	if err != nil {
		return nil, err
	}
	out := append(binary.BigEndian.AppendUint32(nil, uint32(len(j))), j...)
	for _, t := range c.Templates {
		if len(t.Engine) > math.MaxUint8 {
			return nil, fmt.Errorf("engine %.20q…: name too long", t.Engine)
		}
		out = append(out, byte(t.Eye), byte(len(t.Engine)))
		out = binary.BigEndian.AppendUint32(out, uint32(len(t.Data)))
		out = append(append(out, t.Engine...), t.Data...)
	}
	return out, nil
}

// decodeBody shares b with the card.
func decodeBody(b []byte) (c kiosk.IndexCard, err error) {
	if len(b) > 0 && b[0] == '{' { // the first form; no card of this one has 2 GB of JSON
		err = json.Unmarshal(b, &c)
		return c, err
	}
	if len(b) < 4 || uint64(len(b)-4) < uint64(binary.BigEndian.Uint32(b)) {
		return c, errCard
	}
	n := int(binary.BigEndian.Uint32(b))
	if err := json.Unmarshal(b[4:4+n], &c); err != nil {
		return c, err
	}
	for b = b[4+n:]; len(b) > 0; {
		if len(b) < 6 {
			return c, errCard
		}
		eye, name, data := kiosk.Eye(b[0]), int(b[1]), int64(binary.BigEndian.Uint32(b[2:]))
		if b = b[6:]; int64(len(b)) < int64(name)+data {
			return c, errCard
		}
		end := name + int(data)
		c.Templates = append(c.Templates, kiosk.Template{Engine: string(b[:name]), Eye: eye, Data: b[name:end:end]})
		b = b[end:]
	}
	return c, nil
}

func codesPlace(name []byte) []byte { return box.Place(schema, indexFile, bCodes, string(name)) }

// putCodes keeps a card's search codes, or removes what an earlier card of the
// same name left.
func putCodes(tx *bolt.Tx, name []byte, c *kiosk.IndexCard, ref keyring.Ref, key *keyring.Key) error {
	b, err := tx.CreateBucketIfNotExists([]byte(bCodes))
	if err != nil {
		return err
	}
	if len(c.Search) == 0 || len(c.Encounter) > math.MaxUint8 {
		return b.Delete(name)
	}
	plain := append(append(appendEnd(nil, c.Ends), byte(len(c.Encounter))), c.Encounter...)
	return b.Put(name, append(appendRef(nil, ref), box.Seal(key[:], codesPlace(name), append(plain, c.Search...))...))
}

// deleteCodes removes the codes of a card that ends.
func deleteCodes(tx *bolt.Tx, name []byte) error {
	if b := tx.Bucket([]byte(bCodes)); b != nil {
		return b.Delete(name)
	}
	return nil
}
