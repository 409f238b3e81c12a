package document

import (
	"fmt"
	"strings"
)

// span is a run of characters of one line: [from, to).
type span struct{ line, from, to int }

// at is the span of one character.
func at(line, i int) span { return span{line, i, i + 1} }

// layout says where a format keeps its fields. A zero span is a field that
// the format has not.
type layout struct {
	code, issuer, names           span
	number, nationality           span
	birth, sex, expiry            span
	optional, optional2           span
	numberDigit, birthDigit       span
	expiryDigit, optionalDigit    span
	compositeDigit                span
	composite                     []span // what the composite digit covers
	overflow                      bool   // long numbers go on in optional data
	optionalCoveredOnlyByCombined bool   // optional data has no digit but the composite
}

// layouts: Doc 9303-4 4.2 (TD3), 9303-5 4.2 (TD1), 9303-6 4.2 (TD2), 9303-7
// 4.2 (MRV-A, MRV-B).
var layouts = map[Type]layout{
	TD3: {
		code: span{0, 0, 2}, issuer: span{0, 2, 5}, names: span{0, 5, 44},
		number: span{1, 0, 9}, numberDigit: at(1, 9), nationality: span{1, 10, 13},
		birth: span{1, 13, 19}, birthDigit: at(1, 19), sex: at(1, 20),
		expiry: span{1, 21, 27}, expiryDigit: at(1, 27),
		optional: span{1, 28, 42}, optionalDigit: at(1, 42), compositeDigit: at(1, 43),
		composite: []span{{1, 0, 10}, {1, 13, 20}, {1, 21, 43}},
	},
	MRVA: {
		code: span{0, 0, 2}, issuer: span{0, 2, 5}, names: span{0, 5, 44},
		number: span{1, 0, 9}, numberDigit: at(1, 9), nationality: span{1, 10, 13},
		birth: span{1, 13, 19}, birthDigit: at(1, 19), sex: at(1, 20),
		expiry: span{1, 21, 27}, expiryDigit: at(1, 27), optional: span{1, 28, 44},
	},
	TD2: {
		code: span{0, 0, 2}, issuer: span{0, 2, 5}, names: span{0, 5, 36},
		number: span{1, 0, 9}, numberDigit: at(1, 9), nationality: span{1, 10, 13},
		birth: span{1, 13, 19}, birthDigit: at(1, 19), sex: at(1, 20),
		expiry: span{1, 21, 27}, expiryDigit: at(1, 27), optional: span{1, 28, 35},
		compositeDigit: at(1, 35), composite: []span{{1, 0, 10}, {1, 13, 20}, {1, 21, 35}},
		overflow: true, optionalCoveredOnlyByCombined: true,
	},
	MRVB: {
		code: span{0, 0, 2}, issuer: span{0, 2, 5}, names: span{0, 5, 36},
		number: span{1, 0, 9}, numberDigit: at(1, 9), nationality: span{1, 10, 13},
		birth: span{1, 13, 19}, birthDigit: at(1, 19), sex: at(1, 20),
		expiry: span{1, 21, 27}, expiryDigit: at(1, 27), optional: span{1, 28, 36},
	},
	TD1: {
		code: span{0, 0, 2}, issuer: span{0, 2, 5}, number: span{0, 5, 14}, numberDigit: at(0, 14),
		optional: span{0, 15, 30}, birth: span{1, 0, 6}, birthDigit: at(1, 6), sex: at(1, 7),
		expiry: span{1, 8, 14}, expiryDigit: at(1, 14), nationality: span{1, 15, 18},
		optional2: span{1, 18, 29}, compositeDigit: at(1, 29), names: span{2, 0, 30},
		composite: []span{{0, 5, 30}, {1, 0, 7}, {1, 8, 15}, {1, 18, 29}},
		overflow:  true, optionalCoveredOnlyByCombined: true,
	},
}

// codeLetters are those that a document code of the format begins with.
var codeLetters = map[Type]string{TD1: "ACI", TD2: "ACIP", TD3: "P", MRVA: "V", MRVB: "V"}

// typeOf decides the format from the number of lines, their length and the
// document code.
func typeOf(lines []string) (Type, error) {
	if len(lines) == 0 || len(lines[0]) == 0 {
		return "", fmt.Errorf("%w: no lines", ErrLayout)
	}
	for _, l := range lines[1:] {
		if len(l) != len(lines[0]) {
			return "", fmt.Errorf("%w: lines of %d and %d characters", ErrLayout, len(lines[0]), len(l))
		}
	}
	c := lines[0][0]
	if len(lines[0]) == 36 && strings.HasPrefix(lines[0], "IDFRA") {
		return "", fmt.Errorf("%w: the former French identity card has a layout of its own", ErrLayout)
	}
	for _, t := range []Type{TD3, MRVA, MRVB, TD2, TD1} {
		n, chars := t.size()
		if len(lines) == n && len(lines[0]) == chars && strings.IndexByte(codeLetters[t], c) >= 0 {
			return t, nil
		}
	}
	return "", fmt.Errorf("%w: %d lines of %d characters, code %q", ErrLayout, len(lines), len(lines[0]), c)
}
