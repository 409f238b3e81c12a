package iris

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"

	"tambo/kiosk"
)

// EngineVersion is the version of everything that shapes a template. Templates
// with different versions never compare.
const EngineVersion = "tambo-iris/2"

// Errors of templates and comparisons.
var (
	// ErrVersion says that a template is of an engine that does not ship, or that
	// two are of different ones.
	ErrVersion = errors.New("iris: template of another engine version cannot be compared")
	// ErrMalformed says that a template's bytes are not what this engine writes.
	ErrMalformed = errors.New("iris: malformed template")
	// ErrTooFewBits says that too little of the iris is usable. It is never
	// turned into a score.
	ErrTooFewBits = errors.New("iris: too few usable bits to compare")
)

// The template's bytes, all integers little-endian:
//
//	0   4  "TIR1"
//	4   1  number of readings, 1..maxReadings
//	5   3  zero
//	8   n × readingSize: search bits, search mask, verify bits, verify mask
//
// Bit i of a row is bit i%64 of word i/64; rows as in encode.go.
const (
	templateMagic  = "TIR1"
	templateHeader = 8
	maxReadings    = 2
	readingSize    = 8 * (2*searchLen + 2*codeLen)
)

// minCodeBits is the least number of unmasked verify bits of a template.
const minCodeBits = codeBits / 10

// Decoded is a template parsed once for many comparisons. It does not change
// and may be shared between goroutines.
type Decoded struct {
	Eye      kiosk.Eye
	version  *version
	readings []code
}

// Decode parses t. It returns [ErrVersion], [ErrMalformed] or
// [ErrTooFewBits], wrapped.
func Decode(t kiosk.Template) (*Decoded, error) {
	v := versionOf(t.Engine)
	if v == nil {
		return nil, fmt.Errorf("%w: %q, known are %q", ErrVersion, t.Engine, Versions())
	}
	d := t.Data
	if !t.Eye.Valid() {
		return nil, fmt.Errorf("%w: eye %d", ErrMalformed, t.Eye)
	}
	if len(d) < templateHeader || string(d[:4]) != templateMagic || d[5]|d[6]|d[7] != 0 {
		return nil, fmt.Errorf("%w: header", ErrMalformed)
	}
	n := int(d[4])
	if n < 1 || n > maxReadings || len(d) != templateHeader+n*readingSize {
		return nil, fmt.Errorf("%w: %d readings in %d bytes", ErrMalformed, n, len(d))
	}
	out := &Decoded{Eye: t.Eye, version: v, readings: make([]code, n)}
	d = d[templateHeader:]
	for i := range out.readings {
		c := &out.readings[i]
		d = getWords(c.sbits[:], d)
		d = getWords(c.smask[:], d)
		d = getWords(c.bits[:], d)
		d = getWords(c.mask[:], d)
		c.inform()
		if k := ones(c.mask[:]); k < minCodeBits {
			return nil, fmt.Errorf("%w: %d of %d", ErrTooFewBits, k, codeBits)
		}
	}
	return out, nil
}

func getWords(w []uint64, d []byte) []byte {
	for i := range w {
		w[i] = binary.LittleEndian.Uint64(d[8*i:])
	}
	return d[8*len(w):]
}

func encodeTemplate(engine string, eye kiosk.Eye, readings []code) kiosk.Template {
	d := make([]byte, templateHeader, templateHeader+len(readings)*readingSize)
	copy(d, templateMagic)
	d[4] = byte(len(readings))
	for i := range readings {
		c := &readings[i]
		for _, w := range [][]uint64{c.sbits[:], c.smask[:], c.bits[:], c.mask[:]} {
			for _, v := range w {
				d = binary.LittleEndian.AppendUint64(d, v)
			}
		}
	}
	return kiosk.Template{Engine: engine, Eye: eye, Data: d}
}

func ones(w []uint64) (n int) {
	for _, v := range w {
		n += bits.OnesCount64(v)
	}
	return n
}
