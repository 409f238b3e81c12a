package widgets

import (
	"fyne.io/fyne/v2"

	"tambo/kiosk/ui/theme"
)

// Choice is one answer of several.
type Choice struct {
	Key   string
	Label string
}

// ChoiceState is a question's answers. None is chosen unless Chosen says so.
type ChoiceState struct {
	Choices []Choice
	Chosen  []string // keys; more than one only where the question allows it
	// Down puts the answers under each other, as large as the room allows.
	Down bool
	// Even makes answers in a row equally wide.
	Even bool
	// Person marks a question about a person: Enter does not answer it.
	Person bool
	// Reason greys all answers and says why; empty: they can be given.
	Reason string
}

// ChoiceRow shows answers, of which none is preselected.
type ChoiceRow struct {
	piece
	state   ChoiceState
	buttons []*ActButton
	// OnChoose tells which was touched.
	OnChoose func(key string)
}

// NewChoiceRow returns answers to a question.
func NewChoiceRow(s ChoiceState, choose func(string)) *ChoiceRow {
	c := &ChoiceRow{OnChoose: choose}
	c.arrange(s)
	c.start(c, c.draw)
	return c
}

// Set changes the answers; a button keeps the focus it has.
func (c *ChoiceRow) Set(s ChoiceState) {
	c.arrange(s)
	c.Refresh()
}

func (c *ChoiceRow) arrange(s ChoiceState) {
	c.state = s
	for i := len(c.buttons); i < len(s.Choices); i++ {
		c.buttons = append(c.buttons, NewAct(ActState{Kind: ActChoice}, func() {
			if c.OnChoose != nil && i < len(c.state.Choices) {
				c.OnChoose(c.state.Choices[i].Key)
			}
		}))
	}
	c.buttons = c.buttons[:len(s.Choices)]
	for i, x := range s.Choices {
		a := ActState{Kind: ActChoice, Label: x.Label, Large: s.Down, NoEnter: s.Person, Repeats: true, Reason: s.Reason}
		if s.Reason != "" {
			a.Reason = x.Label // the question says why; an answer keeps its words
		}
		for _, k := range s.Chosen {
			a.Chosen = a.Chosen || k == x.Key
		}
		c.buttons[i].Set(a)
	}
}

func (c *ChoiceRow) draw() fyne.CanvasObject {
	var l []fyne.CanvasObject
	for _, b := range c.buttons {
		if c.state.Even && !c.state.Down {
			l = append(l, Grow(b))
		} else {
			l = append(l, b)
		}
	}
	gap := theme.Current().Gap()
	switch {
	case c.state.Down:
		return Column(gap, l...)
	case c.state.Even:
		return Row(gap, l...)
	}
	return Wrap(gap, l...)
}
