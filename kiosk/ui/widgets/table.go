package widgets

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/widget"

	"tambo/kiosk/ui/theme"
)

// Note is a word with its tone: a check that agrees, a comparison that does
// not. Its mark is the tone's.
type Note struct {
	Tone theme.Tone
	Word string
}

// FieldRowState is one field of a document: what it says, from where, whether
// its check digit agrees, what it was compared with.
type FieldRowState struct {
	Key     string // the caller's name of the field
	Field   string
	Value   string // never cut or broken
	From    string
	Check   Note
	Compare Note
	// Other is another value that is too long for its column; it stands under the
	// row.
	Other string
	Tone  theme.Tone // Care and Stop colour the row
	// Answers are what can be done about it ("Looked at", "Use MRZ"); Chosen is
	// the key of the one that was touched, empty while none was.
	Answers []Choice
	Chosen  string
}

// FieldTableState is a document's fields.
type FieldTableState struct {
	Head [5]string // field, value, from, check, compare
	Rows []FieldRowState
}

// FieldTable shows a document's fields in columns. A value takes the room it
// needs; the other columns break their lines. Where even that does not fit, the
// value stands under the field's name; and where that does not, what is known of
// the value stands under it.
type FieldTable struct {
	widget.BaseWidget
	state FieldTableState
	rows  []*FieldRow
	head  fyne.CanvasObject
	// OnAnswer tells which answer was touched for which field.
	OnAnswer func(field, answer string)
}

// NewFieldTable returns a table.
func NewFieldTable(s FieldTableState, answer func(field, answer string)) *FieldTable {
	t := &FieldTable{OnAnswer: answer}
	t.arrange(s)
	t.ExtendBaseWidget(t)
	return t
}

// Set changes the table; a button keeps the focus it has.
func (t *FieldTable) Set(s FieldTableState) {
	t.arrange(s)
	t.Refresh()
}

func (t *FieldTable) arrange(s FieldTableState) {
	t.state = s
	for i := len(t.rows); i < len(s.Rows); i++ {
		t.rows = append(t.rows, newFieldRow(func(answer string) {
			if t.OnAnswer != nil {
				t.OnAnswer(t.rows[i].state.Key, answer)
			}
		}))
	}
	t.rows = t.rows[:len(s.Rows)]
	for i, r := range s.Rows {
		t.rows[i].set(r)
	}
}

const (
	tableGap  = 14
	tableSide = 10
)

// tableForm is how a row of the table stands.
type tableForm int

const (
	besides tableForm = iota // five columns
	under                    // the value under the field's name
	above                    // both above what is known of the value
)

// columns shares a width: field, value, from, check, compare.
func (t *FieldTable) columns(width float32) (w [5]float32, form tableForm) {
	var least, natural [5]float32
	widest := func(i int, o *Words) {
		least[i], natural[i] = max(least[i], o.longest()), max(natural[i], o.Natural())
	}
	for i, h := range t.state.Head {
		widest(i, NewWords(h, headStyle))
	}
	for _, r := range t.state.Rows {
		widest(0, NewWords(r.Field, Body))
		widest(1, NewWords(r.Value, Strong.Once()))
		widest(2, NewWords(r.From, Second))
		for i, n := range []Note{r.Check, r.Compare} {
			o := NewWords(n.Word, n.style())
			least[3+i] = max(least[3+i], o.longest()+noteMark(n))
			natural[3+i] = max(natural[3+i], o.Natural()+noteMark(n))
		}
	}
	room := width - 2*tableSide - 4*tableGap
	w = least
	w[1] = natural[1]
	spare := room - (w[0] + w[1] + w[2] + w[3] + w[4])
	if spare < 0 {
		form = under
		w[0], w[1] = max(least[0], natural[1]), 0
		spare = room + tableGap - (w[0] + w[2] + w[3] + w[4])
	}
	if spare < 0 {
		form = above
		w[0] = least[0]
		spare = room + tableGap - (w[0] + w[2] + w[3] + w[4])
	}
	for _, i := range []int{2, 0, 3, 4} {
		if i == 0 && form == under {
			continue
		}
		take := min(max(spare, 0), natural[i]-w[i])
		w[i] += max(take, 0)
		spare -= max(take, 0)
	}
	if spare > 0 {
		w[4] += spare
	}
	return w, form
}

func (n Note) style() Style { return Style{Tone: n.Tone, Second: true, Bold: n.Tone == theme.Stop} }

var headStyle = Style{Size: theme.SizeCaption, Bold: true, Second: true}

func noteMark(n Note) float32 {
	if theme.ToneSign(n.Tone) == theme.SignNone {
		return 0
	}
	return 15 + 6
}

// HeightFor returns the height at a width.
func (t *FieldTable) HeightFor(width float32) float32 {
	h := t.prepare(width)
	for _, r := range t.rows {
		h += heightFor(r, width)
	}
	return h
}

func (t *FieldTable) prepare(width float32) float32 {
	w, form := t.columns(width)
	for _, r := range t.rows {
		r.columns(w, form)
	}
	var l []fyne.CanvasObject
	for i, h := range t.state.Head {
		if form != besides && i == 1 {
			continue
		}
		l = append(l, Wide(w[i], Middle(NewWords(h, headStyle))))
	}
	t.head = Stack(PadXY(tableSide, 6, Row(tableGap, l...)), Column(0, Space(), AtLeast(0, 1, box(look().Hairline, nil, 0, 0))))
	h := heightFor(t.head, width)
	t.head.Resize(fyne.NewSize(width, h)) // being asked for a height must not lose it
	return h
}

// CreateRenderer implements fyne.Widget.
func (t *FieldTable) CreateRenderer() fyne.WidgetRenderer { return &tableRenderer{t} }

type tableRenderer struct{ t *FieldTable }

func (r *tableRenderer) Destroy() {}
func (r *tableRenderer) MinSize() fyne.Size {
	w := max(r.t.Size().Width, 420)
	return fyne.NewSize(420, r.t.HeightFor(w))
}

func (r *tableRenderer) Objects() []fyne.CanvasObject {
	var l []fyne.CanvasObject
	if r.t.head != nil {
		l = append(l, r.t.head)
	}
	for _, x := range r.t.rows {
		l = append(l, x)
	}
	return l
}

func (r *tableRenderer) Layout(s fyne.Size) {
	y := r.t.prepare(s.Width)
	r.t.head.Resize(fyne.NewSize(s.Width, y))
	for _, x := range r.t.rows {
		h := heightFor(x, s.Width)
		x.Move(fyne.NewPos(0, y))
		x.Resize(fyne.NewSize(s.Width, h))
		y += h
	}
}

func (r *tableRenderer) Refresh() {
	r.Layout(r.t.Size())
	for _, x := range r.t.rows {
		x.Refresh()
	}
	canvas.Refresh(r.t)
}

// FieldRow is one field of a FieldTable, with the answers it wants under it.
type FieldRow struct {
	piece
	state   FieldRowState
	widths  [5]float32
	form    tableForm
	answers *ChoiceRow
}

func newFieldRow(answer func(string)) *FieldRow {
	r := &FieldRow{answers: NewChoiceRow(ChoiceState{}, answer)}
	r.start(r, r.draw)
	return r
}

func (r *FieldRow) set(s FieldRowState) {
	r.state = s
	c := ChoiceState{Choices: s.Answers, Person: true}
	if s.Chosen != "" {
		c.Chosen = []string{s.Chosen}
	}
	r.answers.Set(c)
	r.root = nil
}

func (r *FieldRow) columns(w [5]float32, form tableForm) {
	if w != r.widths || form != r.form {
		r.widths, r.form, r.root = w, form, nil
	}
}

func (r *FieldRow) note(n Note, width float32) fyne.CanvasObject {
	w := NewWords(n.Word, n.style())
	if noteMark(n) == 0 {
		return Wide(width, Middle(w))
	}
	return Wide(width, Row(6, sign(theme.ToneSign(n.Tone), look().Tone(n.Tone).Ink, 15), Grow(Middle(w))))
}

func (r *FieldRow) draw() fyne.CanvasObject {
	p, s, w := look(), r.state, r.widths
	name := NewWords(s.Field, Body)
	value := NewWords(s.Value, Strong.Once())
	var cells, col []fyne.CanvasObject
	switch r.form {
	case under:
		cells = append(cells, Wide(w[0], Middle(Column(0, NewWords(s.Field, Second), value))))
	case above:
		col = append(col, NewWords(s.Value, Style{Bold: true, Shrink: true}))
		cells = append(cells, Wide(w[0], Middle(NewWords(s.Field, Second))))
	default:
		cells = append(cells, Wide(w[0], Middle(name)), Wide(w[1], Middle(value)))
	}
	cells = append(cells, Wide(w[2], Middle(NewWords(s.From, Second))), r.note(s.Check, w[3]), r.note(s.Compare, w[4]))
	least := float32(36)
	if r.form == above {
		least = 24
	}
	col = append(col, AtLeast(0, least, Row(tableGap, cells...)))
	if s.Other != "" {
		col = append(col, NewWords(s.Other, Style{Tone: s.Compare.Tone, Second: true, Shrink: true}))
	}
	if len(s.Answers) > 0 {
		col = append(col, r.answers)
	}
	fill := fyneColor(nil)
	if s.Tone != theme.Plain && s.Tone != theme.Good {
		fill = p.Tone(s.Tone).Soft
	}
	return Stack(box(fill, nil, 0, 0), PadXY(tableSide, 7, Column(6, col...)), Column(0, Space(), AtLeast(0, 1, box(p.Hairline, nil, 0, 0))))
}
