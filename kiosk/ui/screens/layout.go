package screens

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"

	"tambo/kiosk"
	"tambo/kiosk/ui/theme"
	"tambo/kiosk/ui/widgets"
)

// split shares a width between two objects.
func split(share float32, left, right fyne.CanvasObject) fyne.CanvasObject {
	return container.New(splitLayout{share}, left, right)
}

type splitLayout struct{ share float32 }

func (l splitLayout) MinSize(o []fyne.CanvasObject) fyne.Size {
	a, b := o[0].MinSize(), o[1].MinSize()
	return fyne.NewSize(a.Width+theme.GapInside+b.Width, max(a.Height, b.Height))
}

func (l splitLayout) HeightFor(o []fyne.CanvasObject, width float32) float32 {
	left, right := l.share2(o, width)
	return max(widgets.HeightFor(o[0], left), widgets.HeightFor(o[1], right))
}

func (l splitLayout) share2(o []fyne.CanvasObject, width float32) (left, right float32) {
	left = max(o[0].MinSize().Width, float32(int((width-theme.GapInside)*l.share)))
	left = min(left, width-theme.GapInside-o[1].MinSize().Width)
	return left, width - left - theme.GapInside
}

func (l splitLayout) Layout(o []fyne.CanvasObject, s fyne.Size) {
	w, _ := l.share2(o, s.Width)
	o[0].Move(fyne.Position{})
	o[0].Resize(fyne.NewSize(w, s.Height))
	o[1].Move(fyne.NewPos(w+theme.GapInside, 0))
	o[1].Resize(fyne.NewSize(s.Width-w-theme.GapInside, s.Height))
}

// besides puts the walk at the left of the content. On a narrow panel it is
// narrower, and while it knows only its first step it is left out there: what
// must be answered needs the room more.
func (b *builder) besides(content fyne.CanvasObject) fyne.CanvasObject {
	return container.New(walkLayout{known: len(b.Encounter.Steps) > 1}, b.walk(), content)
}

type walkLayout struct{ known bool }

const (
	walkWide, walkNarrow = 228, 200
	narrowPanel          = 1100 // below it room is dear
	walkGap              = 20
)

func (l walkLayout) width(all float32) float32 {
	switch {
	case all >= narrowPanel:
		return walkWide
	case l.known:
		return walkNarrow
	}
	return 0
}

func (l walkLayout) MinSize(o []fyne.CanvasObject) fyne.Size {
	a, b := o[0].MinSize(), o[1].MinSize()
	return fyne.NewSize(b.Width, max(a.Height, b.Height))
}

func (l walkLayout) Layout(o []fyne.CanvasObject, s fyne.Size) {
	w := l.width(s.Width)
	if o[0].Move(fyne.Position{}); w == 0 {
		o[0].Hide()
	} else {
		o[0].Show()
		o[0].Resize(fyne.NewSize(w, s.Height))
		w += walkGap
	}
	o[1].Move(fyne.NewPos(w, 0))
	o[1].Resize(fyne.NewSize(s.Width-w, s.Height))
}

// narrow keeps words readable: no wider than a line that an eye follows.
func narrow(width float32, o fyne.CanvasObject) fyne.CanvasObject {
	return widgets.Row(0, widgets.Space(), widgets.Wide(width, o), widgets.Space())
}

// scroll lets a column that is higher than its room be moved, and says so in
// words.
func (f *Frame) scroll(o fyne.CanvasObject) fyne.CanvasObject {
	return widgets.NewScroll(o, f.Say("screen.more"))
}

// label is a question above its answers.
func label(words string, o fyne.CanvasObject) fyne.CanvasObject {
	return widgets.Column(3, widgets.NewWords(words, widgets.Second), o)
}

// pick is a line that a touch changes: what it is, and what it says now.
func pick(name, value string, touch func()) fyne.CanvasObject {
	s := widgets.RowState{Text: name, Touchable: touch != nil}
	if value != "" {
		s.Text, s.Second = "**"+value+"**", name
	}
	return widgets.NewListRow(s, touch)
}

func authority(a *kiosk.Agreement, code string) *kiosk.Authority {
	if a == nil {
		return nil
	}
	for i := range a.Authorities {
		if a.Authorities[i].Code == code {
			return &a.Authorities[i]
		}
	}
	return nil
}

func category(a *kiosk.Agreement, code string) *kiosk.Category {
	if a == nil {
		return nil
	}
	for i := range a.Categories {
		if a.Categories[i].Code == code {
			return &a.Categories[i]
		}
	}
	return nil
}

// languageNames are the names of languages in themselves.
var languageNames = map[string]string{
	"es": "Español", "en": "English", "qu": "Runa simi", "ay": "Aymar aru", "pt": "Português", "fr": "Français",
	"de": "Deutsch", "it": "Italiano", "ht": "Kreyòl", "gn": "Avañe’ẽ", "nl": "Nederlands", "pl": "Polski", "ro": "Română", "tr": "Türkçe",
	"ru": "Русский", "uk": "Українська", "el": "Ελληνικά", "vi": "Tiếng Việt",
}

// languageName is the name of a language in itself. One whose letters the
// bundled fonts do not have is shown by its tag.
func languageName(tag string) string {
	if n := languageNames[tag]; n != "" {
		return n
	}
	return tag
}
