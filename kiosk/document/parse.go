package document

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"tambo/kiosk"
)

// Parse takes the text of a zone apart. lines are as printed, without spaces;
// blanks around a line are dropped. now, the kiosk's time, decides centuries:
// a birth is never in the future nor after the expiry; an expiry lies within
// 50 years before and 49 after now.
//
// The text is taken as given: every character counts as certain. A zone whose
// digits disagree or whose values cannot be is no error: the fields say so and
// Accepted is false. Errors: ErrLayout, ErrCharacter.
func Parse(lines []string, now time.Time) (MRZ, error) {
	clean := make([]string, len(lines))
	for i, l := range lines {
		clean[i] = strings.TrimSpace(l)
		for j := range len(clean[i]) {
			if _, ok := value(clean[i][j]); !ok {
				return MRZ{}, fmt.Errorf("%w: line %d, position %d", ErrCharacter, i+1, j+1)
			}
		}
	}
	t, err := typeOf(clean)
	if err != nil {
		return MRZ{}, err
	}
	return parseAs(t, clean, nil, now), nil
}

// parser takes apart one zone of a known format.
type parser struct {
	layout
	lines      []string
	confidence [][]float64 // nil: all certain
	today      time.Time
	mrz        MRZ
}

// parseAs parses lines, which have the right number and length for t and
// hold only characters of the zone.
func parseAs(t Type, lines []string, confidence [][]float64, now time.Time) MRZ {
	y, m, d := now.Date()
	p := &parser{
		layout: layouts[t], lines: lines, confidence: confidence,
		today: time.Date(y, m, d, 0, 0, 0, 0, time.UTC),
		mrz:   MRZ{Type: t, Lines: lines, Confidence: confidence},
	}
	f := &p.mrz.Fields
	f.DocumentCode = p.documentCode()
	f.Issuer = p.stateCode(p.issuer)
	f.Nationality = p.stateCode(p.nationality)
	p.names()
	p.numberAndOptional()
	p.dates()
	f.Sex = p.sexField()
	p.combined()
	p.mrz.Accepted = p.accepted()
	return p.mrz
}

func (p *parser) text(s span) string {
	if s.to == 0 {
		return ""
	}
	return p.lines[s.line][s.from:s.to]
}

// certain reports whether every character of the spans is certain.
func (p *parser) certain(spans ...span) bool {
	if p.confidence == nil {
		return true
	}
	for _, s := range spans {
		for i := s.from; i < s.to; i++ {
			if p.confidence[s.line][i] < Certain {
				return false
			}
		}
	}
	return true
}

// field makes a field of a span with the status that its characters give it.
func (p *parser) field(val string, s ...span) kiosk.Field {
	f := kiosk.Field{Value: val, Source: kiosk.SourceMRZ, Status: kiosk.FieldRead}
	for _, q := range s {
		f.Raw += p.text(q)
	}
	if !p.certain(s...) {
		f.Status = kiosk.FieldDoubtful
	}
	return f
}

// malformed marks f unless it is already doubtful, which is the nearer cause.
func malformed(f *kiosk.Field, note string) {
	if f.Status != kiosk.FieldDoubtful {
		f.Status = kiosk.FieldMalformed
	}
	f.Note = note
}

// documentCode: one or two letters, the first as the format has it (Doc 9303-4
// to -7, 4.2).
func (p *parser) documentCode() kiosk.Field {
	raw := p.text(p.code)
	f := p.field(strings.TrimRight(raw, "<"), p.code)
	if strings.IndexByte(codeLetters[p.mrz.Type], raw[0]) < 0 || raw[1] != '<' && !isLetter(raw[1]) {
		malformed(&f, NoteBadCharacters)
	}
	return f
}

// stateCode: Doc 9303-3 section 5.
func (p *parser) stateCode(s span) kiosk.Field {
	f := p.field(strings.TrimRight(p.text(s), "<"), s)
	note, known := codeNotes[f.Value]
	if !known {
		malformed(&f, NoteUnknownCode)
		return f
	}
	f.Note = note
	return f
}

// nameLayout: primary identifier, optionally "<<" and the secondary, parts
// joined by single fillers, then only fillers (Doc 9303-3, 4.6).
var nameLayout = regexp.MustCompile(`^[A-Z]+(<[A-Z]+)*(<<[A-Z]+(<[A-Z]+)*)?<*$`)

func (p *parser) names() {
	s := p.layout.names
	raw := p.text(s)
	primary, secondary, two := strings.Cut(raw, "<<")
	mid := s.from + len(primary)
	words := func(v string) string {
		return strings.Join(strings.FieldsFunc(v, func(r rune) bool { return r == '<' }), " ")
	}
	pf := p.field(words(primary), span{s.line, s.from, mid})
	sf := kiosk.Field{Source: kiosk.SourceMRZ, Status: kiosk.FieldAbsent}
	if two {
		sf = p.field(words(secondary), span{s.line, mid + 2, s.to})
		sf.Raw = strings.TrimRight(sf.Raw, "<")
		if sf.Value == "" && sf.Status != kiosk.FieldDoubtful {
			sf.Status = kiosk.FieldAbsent
		}
		if !p.certain(span{s.line, mid, mid + 2}) { // the separator decides both
			pf.Status = kiosk.FieldDoubtful
			sf.Status = kiosk.FieldDoubtful
		}
	}
	last := &pf
	if sf.Value != "" {
		last = &sf
	}
	switch {
	case strings.ContainsAny(raw, "0123456789"):
		malformed(&pf, NoteBadCharacters)
	case !nameLayout.MatchString(raw):
		malformed(&pf, NoteNameLayout)
	case raw[len(raw)-1] != '<':
		last.Note = NoteMaybeCut
	}
	p.mrz.Fields.PrimaryIdentifier, p.mrz.Fields.SecondaryIdentifier = pf, sf
}

// check compares a printed digit with the one computed over spans and adds it
// to the list.
func (p *parser) check(name string, digit span, over ...span) Check {
	var b strings.Builder
	for _, s := range over {
		b.WriteString(p.text(s))
	}
	computed, _ := CheckDigit(b.String()) // the characters were looked at before
	c := Check{Name: name, Digit: p.text(digit)[0], Computed: computed}
	c.OK = c.Digit == c.Computed
	p.mrz.Checks = append(p.mrz.Checks, c)
	return c
}

// settle gives f the standing that its check digit lends it.
func (p *parser) settle(f *kiosk.Field, c Check, digit span) {
	switch {
	case f.Status == kiosk.FieldMalformed || f.Status == kiosk.FieldAbsent:
	case f.Status == kiosk.FieldDoubtful || !p.certain(digit):
		f.Status = kiosk.FieldDoubtful
	case c.OK:
		f.Status = kiosk.FieldChecked
	default:
		f.Status = kiosk.FieldMismatch
		if c.Digit == '<' {
			f.Note = NoteNoDigit
		}
	}
}

// numberAndOptional: Doc 9303-4 4.2.2 and, for numbers longer than nine
// characters, 9303-5 4.2.4 note j and 9303-6 4.2.4 note j: a filler stands in
// the digit's place, the number goes on at the head of the optional data, and
// its last character there is the digit.
func (p *parser) numberAndOptional() {
	number, digit, optional := []span{p.number}, p.numberDigit, p.optional
	if p.overflow && p.text(digit) == "<" {
		rest := p.text(optional)
		if n := strings.IndexByte(rest+"<", '<'); n >= 2 {
			s := optional
			number = append(number, span{s.line, s.from, s.from + n - 1})
			digit = at(s.line, s.from+n-1)
			optional.from += n
		}
	}
	var raw string
	for _, s := range number {
		raw += p.text(s)
	}
	f := p.field(strings.ReplaceAll(strings.TrimRight(raw, "<"), "<", " "), number...)
	if f.Value == "" || raw[0] == '<' {
		malformed(&f, NoteBadCharacters)
	}
	p.settle(&f, p.check("documentNumber", digit, number...), digit)
	p.mrz.Fields.DocumentNumber = f
	p.mrz.Fields.OptionalData = p.optionalField(optional)
	p.mrz.Fields.OptionalData2 = p.optionalField(p.optional2)
}

func (p *parser) optionalField(s span) kiosk.Field {
	f := p.field(strings.ReplaceAll(strings.Trim(p.text(s), "<"), "<", " "), s)
	if f.Value == "" && f.Status != kiosk.FieldDoubtful {
		f.Status = kiosk.FieldAbsent
	}
	return f
}

func (p *parser) dates() {
	f := &p.mrz.Fields
	ed, ok := parseDate(p.text(p.expiry))
	ey := ed.expiryYear(p.today)
	ef := p.field(ed.format(ey), p.expiry)
	latest := p.today
	if !ok || ed.partial() || !ed.exists(ey) {
		ef.Value = ""
		malformed(&ef, NoteBadDate)
	} else if end := ed.start(ey); end.Before(p.today) {
		ef.Note = NoteExpired
		latest = end
	}
	bd, ok := parseDate(p.text(p.birth))
	by := bd.birthYear(latest)
	bf := p.field(bd.format(by), p.birth)
	if !ok || !bd.exists(by) {
		bf.Value = ""
		malformed(&bf, NoteBadDate)
	} else if bd.partial() {
		bf.Note = NotePartialDate
	}
	p.settle(&bf, p.check("birthDate", p.birthDigit, p.birth), p.birthDigit)
	p.settle(&ef, p.check("expiryDate", p.expiryDigit, p.expiry), p.expiryDigit)
	f.BirthDate, f.ExpiryDate = bf, ef
}

// sexField: Doc 9303-4, 4.2.2: F, M, or a filler for unspecified.
func (p *parser) sexField() kiosk.Field {
	v := p.text(p.sex)
	f := p.field(v, p.sex)
	switch v {
	case "F", "M":
	case "<":
		f.Value = "X"
	default:
		f.Value = ""
		malformed(&f, NoteBadCharacters)
	}
	return f
}

// combined settles optional data and the composite digit.
func (p *parser) combined() {
	f := &p.mrz.Fields
	if p.optionalDigit.to != 0 {
		c := p.check("optionalData", p.optionalDigit, p.optional)
		if c.Digit == '<' && strings.Trim(p.text(p.optional), "<") == "" {
			c.OK = true // unused: the digit may be 0 or a filler (9303-4, 4.2.2)
			p.mrz.Checks[len(p.mrz.Checks)-1] = c
		}
		if f.OptionalData.Status == kiosk.FieldAbsent && (!c.OK || !p.certain(p.optionalDigit)) {
			f.OptionalData.Status = kiosk.FieldRead
		}
		p.settle(&f.OptionalData, c, p.optionalDigit)
	}
	if p.compositeDigit.to == 0 {
		return
	}
	c := p.check("composite", p.compositeDigit, p.composite...)
	if p.optionalCoveredOnlyByCombined {
		p.settle(&f.OptionalData, c, p.compositeDigit)
		if p.optional2.to != 0 {
			p.settle(&f.OptionalData2, c, p.compositeDigit)
		}
	}
	if !c.OK && f.DocumentNumber.Note == "" {
		f.DocumentNumber.Note = NoteComposite
	}
}

// accepted: every character certain, all digits agree, all values possible.
func (p *parser) accepted() bool {
	for i, l := range p.lines {
		if !p.certain(span{i, 0, len(l)}) {
			return false
		}
	}
	for _, c := range p.mrz.Checks {
		if !c.OK {
			return false
		}
	}
	for _, f := range p.mrz.List() {
		switch f.Status {
		case kiosk.FieldChecked, kiosk.FieldRead, kiosk.FieldAbsent:
		default:
			return false
		}
	}
	return true
}

func isLetter(c byte) bool { return c >= 'A' && c <= 'Z' }
