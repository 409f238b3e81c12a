package screens

import (
	"slices"
	"strconv"

	"fyne.io/fyne/v2"

	"tambo/kiosk"
	"tambo/kiosk/intake"
	"tambo/kiosk/ui/theme"
	"tambo/kiosk/ui/widgets"
)

// Document shows the page and its fields: what each says, from where, whether
// its check digit agrees, what it was compared with.
func Document(f Frame, s DocumentState, c DocumentCalls) *Screen {
	b := f.build()
	scan := "document.scan"
	if s.Page != nil {
		scan = "document.scanAgain"
	}
	left := []*widgets.ActButton{b.act("document.none", c.None), b.act("document.typeIn", c.Type), b.act("act.park", c.Park)}
	right := []*widgets.ActButton{}
	empty := s.Page == nil && blank(&s.Identity)
	reason := ""
	switch {
	case s.Scanning:
		reason = f.Say("missing.busy")
	case s.Missing > 0 && empty:
		reason = f.Say("missing.document")
	case s.Missing > 0:
		reason = f.Count("missing.answers", s.Missing)
	}
	if empty && !s.Scanning && !s.NoDevice && s.Excepted == "" {
		// One thing to do next: scanning is the way on.
		right = append(right, b.way(f.Say(scan), "", c.Scan))
		return b.done(b.documentEmpty(s), left, right)
	}
	if !s.Scanning && !s.NoDevice {
		right = append(right, b.act(scan, c.Scan))
	}
	right = append(right, b.way(b.next(kiosk.StepDocument), reason, c.Next))
	if empty {
		return b.done(b.documentEmpty(s), left, right)
	}
	return b.done(split(0.34, b.page(s), widgets.NewCard(widgets.CardState{Tight: true}, b.scroll(b.fields(s, c)))), left, right)
}

// documentEmpty says what to do before there is a page.
func (b *builder) documentEmpty(s DocumentState) fyne.CanvasObject {
	title, tone := b.Say("document.put"), theme.Active
	switch {
	case s.Excepted != "":
		title, tone = b.Say("found.excepted", "Why", lower(coded(b.Book, "except.", string(s.Excepted)))), theme.Care
		title = sentence(title)
	case s.NoDevice:
		title, tone = b.Say("document.scannerGone"), theme.Stop
	case s.Scanning:
		title = b.Say("document.reading")
	}
	pic := widgets.NewPicture(widgets.PictureState{Empty: b.Say("document.empty"), Size: fyne.NewSize(380, 260)})
	return widgets.Column(14, widgets.NewBanner(widgets.BannerState{Tone: tone, Title: title, NoSign: tone == theme.Active}), widgets.Grow(widgets.NewCard(widgets.CardState{}, widgets.Middle(narrow(420, pic)))))
}

// page is the picture with its zone, and how far it may be relied on.
func (b *builder) page(s DocumentState) fyne.CanvasObject {
	p := widgets.PictureState{Image: s.Page, Empty: b.Say("document.empty"), Size: fyne.NewSize(190, 150)}
	wrong := wrongDigits(&s.Identity)
	zone := widgets.PillState{Tone: theme.Good, Word: b.Say("document.mrzAgrees")}
	switch {
	case s.Unread || s.Zone == (Box{}):
		zone = widgets.PillState{Tone: theme.Care, Word: b.Say("document.mrzNone")}
	case wrong == 0 && !certain(&s.Identity):
		zone = widgets.PillState{Tone: theme.Care, Word: b.Say("document.mrzLook")}
	case wrong > 0:
		zone = widgets.PillState{Tone: theme.Stop, Word: b.Count("document.mrzWrong", wrong)}
	}
	if s.Zone != (Box{}) {
		p.Marks = []widgets.PictureMark{{X: s.Zone.X, Y: s.Zone.Y, W: s.Zone.W, H: s.Zone.H, Tone: zone.Tone}}
	}
	col := []fyne.CanvasObject{widgets.NewPicture(p), band(zone.Tone, zone.Word)}
	if s.Unread {
		col = append(col, widgets.NewWords(b.Say("document.unread"), widgets.Body))
	}
	col = append(col, widgets.NewWords(b.Say("document.notForgery"), widgets.Second))
	return widgets.NewCard(widgets.CardState{Tight: true, Title: b.documentKind(s.Identity.DocumentType.Value)}, b.scroll(widgets.Column(12, col...)))
}

// band is a state that may take more than one line.
func band(t theme.Tone, words string) fyne.CanvasObject {
	return widgets.NewBanner(widgets.BannerState{Tone: t, Detail: words})
}

func (b *builder) documentKind(code string) string {
	switch {
	case code == "":
		return b.Say("document.unknownKind")
	case code[0] == 'P':
		return b.Say("document.passport")
	case code[0] == 'V':
		return b.Say("document.visa")
	}
	return b.Say("document.card")
}

func wrongDigits(id *kiosk.Identity) (n int) {
	for _, f := range namedFields(id) {
		if f.Status == kiosk.FieldMismatch {
			n++
		}
	}
	return n
}

// certain reports whether every field was read without doubt.
func certain(id *kiosk.Identity) bool {
	return !slices.ContainsFunc(namedFields(id), func(f namedField) bool {
		return checkTones[f.Status] == theme.Care || checkTones[f.Status] == theme.Stop
	})
}

type namedField struct {
	name string
	kiosk.Field
}

// namedFields are the fields of an identity in the order in which they are
// shown; names are those of the record.
func namedFields(id *kiosk.Identity) []namedField {
	return []namedField{{"expiry", id.Expiry}, {"documentNumber", id.DocumentNumber}, {"surname", id.Surname}, {"given", id.Given},
		{"birth", id.Birth}, {"sex", id.Sex}, {"nationality", id.Nationality}, {"issuer", id.Issuer}}
}

// fields is the table: an expired document first, then what wants a look.
func (b *builder) fields(s DocumentState, c DocumentCalls) *widgets.FieldTable {
	st := widgets.FieldTableState{Head: [5]string{b.Say("table.field"), b.Say("table.value"), b.Say("table.from"), b.Say("table.check"), b.Say("table.compare")}}
	rank := func(r widgets.FieldRowState) int {
		switch {
		case r.Key == "expiry" && s.Expired:
			return 0
		case r.Tone == theme.Stop:
			return 1
		case r.Tone == theme.Care:
			return 2
		}
		return 3
	}
	for _, f := range namedFields(&s.Identity) {
		if f.Status == kiosk.FieldAbsent && f.Value == "" {
			continue
		}
		st.Rows = append(st.Rows, b.fieldRow(f, s))
	}
	slices.SortStableFunc(st.Rows, func(a, d widgets.FieldRowState) int { return rank(a) - rank(d) })
	return widgets.NewFieldTable(st, c.Answer)
}

var checkTones = map[kiosk.FieldStatus]theme.Tone{
	kiosk.FieldChecked: theme.Good, kiosk.FieldDoubtful: theme.Care, kiosk.FieldMismatch: theme.Stop, kiosk.FieldMalformed: theme.Stop,
}

func (b *builder) fieldRow(f namedField, s DocumentState) widgets.FieldRowState {
	r := widgets.FieldRowState{Key: f.name, Field: b.Say("field." + f.name), Value: b.value(f.name, f.Value), From: b.Say("source." + string(f.Source)),
		Check: widgets.Note{Tone: checkTones[f.Status], Word: b.Say("check." + string(f.Status))}, Compare: widgets.Note{Word: "–"}, Chosen: s.Answers[f.name]}
	if f.Source == "" {
		r.From = "–"
	}
	if f.Source == kiosk.SourceOfficer || f.Source == kiosk.SourcePage { // nothing there has a check digit
		r.Check = widgets.Note{Word: "–"}
	}
	switch {
	case f.Print == kiosk.PrintAgrees && f.Printed != "":
		b.other(&r, theme.Good, kiosk.SourcePage, f.Printed, "compare.agrees")
	case f.Print == kiosk.PrintAgrees:
		r.Compare = widgets.Note{Tone: theme.Good, Word: b.Say("compare.agrees")}
	case f.Print == kiosk.PrintNotFound:
		r.Compare = widgets.Note{Word: b.Say("compare.notFound")}
	}
	look := checkTones[f.Status] == theme.Care || checkTones[f.Status] == theme.Stop
	if look {
		r.Tone = checkTones[f.Status]
		r.Answers = []widgets.Choice{{Key: "looked", Label: b.Say("answer.looked")}, {Key: "type", Label: b.Say("answer.type")}}
		if r.Chosen == "" && f.Note == intake.Looked {
			r.Chosen = "looked"
		}
	}
	for _, d := range s.Identity.Disagreements {
		if d.Field != f.name {
			continue
		}
		r.Tone, r.Answers = max(r.Tone, theme.Care), nil
		for i, v := range d.Values {
			if v.Value != f.Value {
				b.other(&r, theme.Care, v.Source, b.value(f.name, v.Value), "compare.differs")
			}
			r.Answers = append(r.Answers, widgets.Choice{Key: strconv.Itoa(i), Label: b.Say(useKeys[v.Source])})
		}
		r.Answers = append(r.Answers, widgets.Choice{Key: "type", Label: b.Say("answer.type")})
		if d.Chosen >= 0 {
			r.Chosen = strconv.Itoa(d.Chosen)
		}
	}
	if f.name == "expiry" && s.Expired {
		r.Tone = theme.Stop
		r.Compare = widgets.Note{Tone: theme.Stop, Word: b.Say("compare.expired")}
		var why []widgets.Choice
		for _, k := range expiredReasons {
			why = append(why, widgets.Choice{Key: ExpiredAnswer + k, Label: b.Say("answer.expired") + " " + lower(b.Say("expired."+k))})
		}
		if s.Accepted != "" {
			r.Chosen = ExpiredAnswer + s.Accepted
		}
		r.Answers = append(why, r.Answers...)
	}
	return r
}

// other says another value, in the last column where it is short and under the
// row where it is not.
func (b *builder) other(r *widgets.FieldRowState, tone theme.Tone, source kiosk.Source, v, short string) {
	says := b.Say("source."+string(source)) + ": "
	if len([]rune(v)) <= 14 {
		r.Compare, r.Other = widgets.Note{Tone: tone, Word: says + widgets.Keep(v)}, ""
		return
	}
	r.Compare, r.Other = widgets.Note{Tone: tone, Word: b.Say(short)}, says+v
}

// ExpiredAnswer begins the answers about a document that has expired; after it
// stands the code of why it is accepted.
const ExpiredAnswer = "expired:"

// expiredReasons are the codes of why an expired document is accepted.
var expiredReasons = []string{"only", "enough", "ordered"}

var useKeys = map[kiosk.Source]string{kiosk.SourceChip: "answer.useChip", kiosk.SourceMRZ: "answer.useMRZ", kiosk.SourcePage: "answer.usePage", kiosk.SourceOfficer: "answer.useTyped"}

// value is a field's value as a person reads it.
func (b *builder) value(name, v string) string {
	switch {
	case v == "":
		return "–"
	case name == "birth" || name == "expiry":
		return b.DateText(v)
	case name == "sex":
		if b.Has("identity.sex" + v) {
			return b.Say("identity.sex" + v)
		}
	case (name == "nationality" || name == "issuer") && b.Has("country."+v):
		return b.Say("country." + v)
	}
	return v
}

// blank reports whether nothing is known yet.
func blank(id *kiosk.Identity) bool {
	return !slices.ContainsFunc(namedFields(id), func(f namedField) bool { return f.Value != "" })
}
