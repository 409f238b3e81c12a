package widgets_test

import (
	"image"
	"image/color"
	"math"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"

	"tambo/kiosk/ui/theme"
	"tambo/kiosk/ui/uitest"
	. "tambo/kiosk/ui/widgets"
)

// onPaper lays an object on the screen's paper, with an edge.
func onPaper(o fyne.CanvasObject) fyne.CanvasObject {
	return Stack(canvas.NewRectangle(theme.Current().Palette().Paper), Pad(theme.GapEdge, o))
}

func golden(t *testing.T, name string, w, h float32, build func() fyne.CanvasObject) {
	t.Helper()
	uitest.Golden(t, name, fyne.NewSize(w, h), func() fyne.CanvasObject { return onPaper(build()) })
}

func TestCardPillGauge(t *testing.T) {
	golden(t, "card", 900, 420, func() fyne.CanvasObject {
		gauges := func(v float64, tone theme.Tone) fyne.CanvasObject {
			return Column(10,
				NewGauge(GaugeState{Label: "Nítido", LabelWidth: 90, Value: 0.88, Floor: 0.45, Tone: theme.Good}),
				NewGauge(GaugeState{Label: "Abierto", LabelWidth: 90, Value: v, Floor: 0.7, Tone: tone}))
		}
		pills := Wrap(10, NewPill(PillState{Tone: theme.Good, Word: "Kept · 91, needs 60"}), NewPill(PillState{Tone: theme.Care, Word: "unfinished"}),
			NewPill(PillState{Tone: theme.Stop, Word: "refused"}), NewPill(PillState{Tone: theme.Unsure, Word: "incomplete"}), NewPill(PillState{Word: "held"}),
			NewPill(PillState{Tone: theme.Active, Word: "now"}))
		return Row(16,
			Grow(NewCard(CardState{Title: "Their right eye", Pill: &PillState{Tone: theme.Good, Word: "Kept · 91, needs 60"}}, Column(16, gauges(0.8, theme.Good), pills))),
			Grow(NewCard(CardState{Title: "Their left eye", Pill: &PillState{Tone: theme.Care, Word: "54, needs 60"}, Tone: theme.Care}, Column(16, gauges(0.5, theme.Care),
				NewWords("Read, **not checked for forgery**. The page says "+Keep("12 Aug 1974")+", the zone says "+Keep("12 Aug 1947")+".", Second)))))
	})
}

func TestWalk(t *testing.T) {
	golden(t, "walk", 290, 640, func() fyne.CanvasObject {
		return NewWalk(WalkState{Heading: "Wristband 0412", Steps: []StepState{
			{1, StepDone, "Arrival", "adult, from order", theme.Plain, true},
			{2, StepDone, "Irises", "see Decision", theme.Care, true},
			{3, StepExcepted, "Document", "none: says lost", theme.Plain, true},
			{4, StepByRule, "Identity", "not collected by rule", theme.Plain, false},
			{5, StepNow, "Face", "look here", theme.Plain, false},
			{6, StepToCome, "Decision", "", theme.Plain, false},
			{7, StepToCome, "Review & seal", "", theme.Plain, false},
		}}, nil)
	})
}

func barState(lang string) BarState {
	if lang == "es" {
		return BarState{Where: []string{"Ingreso 2"}, Who: []string{"R.Q. supervisora", "R.Q."}, Language: "ES", Dots: []DotState{
			{theme.Good, []string{"Cámara"}}, {theme.Good, []string{"Escáner"}}, {theme.Stop, []string{"Central sin respuesta desde 09:10", "Central desde 09:10", "Central 09:10"}},
			{theme.Care, []string{"Listas 31 h de 72", "Listas 31/72 h"}}, {theme.Good, []string{"Reloj"}}, {theme.Good, []string{"Corriente", "Red"}}}}
	}
	return BarState{Where: []string{"Admission 2"}, Who: []string{"R.Q. officer", "R.Q."}, Language: "EN", Dots: []DotState{
		{theme.Good, []string{"Camera"}}, {theme.Good, []string{"Scanner"}}, {theme.Stop, []string{"Hub since 09:10"}},
		{theme.Good, []string{"Lists 31 h of 72", "Lists 31/72 h"}}, {theme.Good, []string{"Clock"}}, {theme.Care, []string{"Battery 40 %", "40 %"}}}}
}

func TestTopBar(t *testing.T) {
	for _, c := range []struct {
		name, lang string
		w          float32
	}{{"topbar-en-1280", "en", 1280}, {"topbar-es-1280", "es", 1280}, {"topbar-es-1024", "es", 1024}} {
		uitest.Golden(t, c.name, fyne.NewSize(c.w, 60), func() fyne.CanvasObject { return NewTopBar(barState(c.lang), nil) })
	}
}

func TestAct(t *testing.T) {
	golden(t, "act", 900, 420, func() fyne.CanvasObject {
		return Column(20,
			Row(15, NewAct(ActState{Label: "Park"}, nil), NewAct(ActState{Kind: ActStop, Label: "Abandon…"}, nil), NewAct(ActState{Kind: ActPrimary, Label: "Next: Irises"}, nil), Space()),
			Row(15, NewAct(ActState{Kind: ActPrimary, Label: "Next: Document", Reason: "1 answer needed"}, nil), NewAct(ActState{Label: "Something is wrong with this kiosk", Sign: theme.SignWarning}, nil), Space()),
			Row(15, NewAct(ActState{Kind: ActChoice, Label: "Adult", Chosen: true}, nil), NewAct(ActState{Kind: ActChoice, Label: "Under 18"}, nil), Space()),
			Grow(NewAct(ActState{Kind: ActPrimary, Large: true, Label: "Next person", Sign: theme.SignPlus, Detail: "Order and origin of this van are kept"}, nil)))
	})
}

func TestActBar(t *testing.T) {
	acts := func() ([]*ActButton, []*ActButton) {
		a := func(label, short string) *ActButton { return NewAct(ActState{Label: label, Short: short}, nil) }
		return []*ActButton{a("Tiene un solo ojo", "Un ojo"), a("La persona se niega", "Se niega"), a("Otro…", ""), a("Apartar", "")},
			[]*ActButton{a("De nuevo", ""), NewAct(ActState{Kind: ActPrimary, Label: "Sigue: documento", Short: "Documento", Reason: "Falta el ojo izquierdo"}, nil)}
	}
	for _, c := range []struct {
		name string
		w    float32
	}{{"actbar-1280", 1280}, {"actbar-1024", 1024}} {
		uitest.Golden(t, c.name, fyne.NewSize(c.w, 92), func() fyne.CanvasObject { return NewActBar(acts()) })
	}
}

func TestBanner(t *testing.T) {
	golden(t, "banner", 1000, 520, func() fyne.CanvasObject {
		return Column(14,
			NewBanner(BannerState{Tone: theme.Care, Title: "Their left eye: open wider.", NoSign: true}),
			NewBanner(BannerState{Tone: theme.Good, Title: "Both eyes are kept.", NoSign: true}),
			NewBanner(BannerState{Tone: theme.Unsure, Title: "The search is incomplete.", Detail: "Compared with 91,400 of 184,210 entries. The hub has not answered."}),
			NewBanner(BannerState{Tone: theme.Stop, Loud: true, Title: "Wristband 0407: keep in custody. Call the duty supervisor.", Detail: "The hub found a match 14 min ago. Not yet confirmed by a person.", Act: NewAct(ActState{Kind: ActOnLoud, Label: "I have it"}, nil)}),
			NewTrainingBand("TRAINING · nobody here is real"))
	})
}

func TestChoices(t *testing.T) {
	golden(t, "choices", 560, 420, func() fyne.CanvasObject {
		return Column(20,
			NewChoiceRow(ChoiceState{Down: true, Person: true, Chosen: []string{"same"}, Choices: []Choice{{"same", "Same person: link, keep both names"}, {"not", "Not the same person"}, {"tell", "I cannot tell"}}}, nil),
			NewChoiceRow(ChoiceState{Even: true, Choices: []Choice{{"a", "Adult"}, {"u", "Under 18"}, {"n", "Not known"}}}, nil))
	})
}

func table() FieldTableState {
	ok := Note{theme.Good, "digit"}
	none := Note{theme.Plain, "none possible"}
	return FieldTableState{Head: [5]string{"Field", "Value", "From", "Check", "Compare"}, Rows: []FieldRowState{
		{Key: "expiry", Field: "Expires", Value: "15 Apr 2012", From: "MRZ", Check: ok, Compare: Note{theme.Stop, "expired"}, Tone: theme.Stop, Answers: []Choice{{"x", "Accept expired because…"}}},
		{Key: "number", Field: "Number", Value: "L898902C3", From: "MRZ", Check: ok, Compare: Note{theme.Care, "page: " + Keep("… 902O3")}, Tone: theme.Care, Answers: []Choice{{"mrz", "Use MRZ"}, {"page", "Use page"}, {"type", "Type"}}, Chosen: "mrz"},
		{Key: "surname", Field: "Surname", Value: "ERIKSSON", From: "MRZ", Check: none, Compare: Note{theme.Good, "page agrees"}},
		{Key: "given", Field: "Given names", Value: "ANNA MARIA", From: "MRZ", Check: none, Compare: Note{theme.Good, "page agrees"}},
		{Key: "birth", Field: "Born", Value: "12 Aug 1974", From: "MRZ", Check: ok, Compare: Note{theme.Good, "page agrees"}},
		{Key: "nation", Field: "Nationality", Value: "Utopia", From: "MRZ", Check: none, Compare: Note{theme.Plain, "not on page"}},
	}}
}

func TestFieldTable(t *testing.T) {
	for _, c := range []struct {
		name string
		w    float32
	}{{"table-620", 620}, {"table-480", 480}} {
		golden(t, c.name, c.w, 640, func() fyne.CanvasObject { return NewCard(CardState{Tight: true}, NewFieldTable(table(), nil)) })
	}
}

func TestFields(t *testing.T) {
	golden(t, "fields", 760, 300, func() fyne.CanvasObject {
		a := NewField(FieldState{Label: "Staff number"}, nil)
		a.SetText("4471")
		b := NewField(FieldState{Label: "Password", Secret: true}, nil)
		b.SetText("ñandú<12")
		c := NewField(FieldState{Label: "Order number", Hint: "as on the paper", Fault: "The order number is missing."}, nil)
		d := NewField(FieldState{Label: "Wristband", Off: true}, nil)
		d.SetText("0412")
		return Column(20, Row(15, Grow(a), Grow(b)), Row(15, Grow(c), Grow(d)))
	})
}

func TestList(t *testing.T) {
	golden(t, "list", 720, 400, func() fyne.CanvasObject {
		row := func(key, text string, p PillState, chosen bool) fyne.CanvasObject {
			return NewListRow(RowState{Key: key, KeyWidth: 70, Text: text, Pill: &p, Touchable: true, Chosen: chosen}, nil)
		}
		return Column(15, row("0412", "stopped at Document, 06:58", PillState{Tone: theme.Care, Word: "unfinished"}, false),
			row("0409", "wants a second person by 08:30", PillState{Word: "held"}, true),
			Column(0, Fact("Taken", "both irises 91 · 88, face, passport page", 140), Fact("Person", "**"+Keep("ERIKSSON, Anna Maria")+"**, "+Keep("12 Aug 1974"), 140),
				NewFactRow(FactState{Name: "Second person", NameWidth: 140, Pill: &PillState{Tone: theme.Care, Word: "wanted by 08:30"}})))
	})
}

func TestKeyboardPicture(t *testing.T) {
	for _, lang := range []string{"es", "en"} {
		golden(t, "keyboard-"+lang, 1024, 325, func() fyne.CanvasObject { return NewKeyboard(KeyboardState{Language: lang}) })
	}
}

// eyePicture draws a plain eye, for the picture of the widget only.
func eyePicture() (*image.Gray, [][]fyne.Position) {
	g := image.NewGray(image.Rect(0, 0, 640, 480))
	for y := range 480 {
		for x := range 640 {
			d := math.Hypot(float64(x-320), float64(y-240))
			v := uint8(170)
			switch {
			case d < 50:
				v = 16
			case d < 150:
				v = uint8(105 + 25*math.Sin(math.Atan2(float64(y-240), float64(x-320))*40))
			case math.Abs(float64(y-240)) < 150-math.Abs(float64(x-320))/2.2:
				v = 215
			}
			g.SetGray(x, y, color.Gray{Y: v})
		}
	}
	circle := func(r float64) (l []fyne.Position) {
		for i := range 64 {
			a := float64(i) / 64 * 2 * math.Pi
			l = append(l, fyne.NewPos(float32(320+r*math.Cos(a)), float32(240+r*math.Sin(a))))
		}
		return l
	}
	return g, [][]fyne.Position{circle(50), circle(150)}
}

func TestEyeViewPicture(t *testing.T) {
	golden(t, "eye", 980, 340, func() fyne.CanvasObject {
		g, c := eyePicture()
		eye := func(tone theme.Tone) fyne.CanvasObject {
			v := NewEyeView("")
			v.Feed(EyeFrame{Gray: g, Contours: c, Tone: tone})
			v.Flush()
			return v
		}
		return Row(16, Grow(eye(theme.Good)), Grow(eye(theme.Care)), Grow(NewEyeView("No eye in the picture yet.")))
	})
}

func TestPlotCodePicture(t *testing.T) {
	golden(t, "plot", 900, 300, func() fyne.CanvasObject {
		fps := []float64{15, 15.2, 14.9, 15, 15, 13, 15, 15.1, 15, 15, 14.9, 15, 15}
		page := image.NewNRGBA(image.Rect(0, 0, 125, 88))
		for i := range page.Pix {
			page.Pix[i] = 200
		}
		return Row(16,
			Grow(NewCard(CardState{}, Column(4, NewWords("Frames a second, needs 12", Second), NewWords("14.9", Title), Grow(NewPlot(PlotState{Values: fps, Floor: 12, Low: 10, Top: 16}))))),
			Grow(NewCard(CardState{}, Column(14, Grow(NewPicture(PictureState{Image: page, Size: fyne.NewSize(160, 110), Marks: []PictureMark{{0.03, 0.75, 0.94, 0.2, theme.Good}}})), NewPicture(PictureState{Empty: "no face kept here", Size: fyne.NewSize(96, 80)})))),
			Grow(NewCard(CardState{}, NewCode("0412-7QK3", "0412-7QK3", 96))))
	})
}

// TestFocusPicture: what has the focus is seen, on every ground.
func TestFocusPicture(t *testing.T) {
	golden(t, "focus", 900, 300, func() fyne.CanvasObject {
		plain, primary, step := NewAct(ActState{Label: "Park"}, nil), NewAct(ActState{Kind: ActPrimary, Label: "Seal"}, nil), NewStep(StepState{1, StepDone, "Arrival", "adult", theme.Plain, true}, nil)
		row, field := NewListRow(RowState{Key: "0409", Text: "held", Touchable: true}, nil), NewField(FieldState{Label: "Password"}, nil)
		for _, f := range []fyne.Focusable{plain, primary, step, row, field.Input()} {
			f.FocusGained()
		}
		return Column(20, Row(20, plain, primary, Wide(240, step), Space()), Row(20, Wide(420, row), Grow(field)), NewBanner(BannerState{Tone: theme.Stop, Loud: true, Title: "Keep in custody.", Act: focused(NewAct(ActState{Kind: ActOnLoud, Label: "I have it"}, nil))}))
	})
}

func focused(b *ActButton) *ActButton {
	b.FocusGained()
	return b
}
