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

func (l splitLayout) Layout(o []fyne.CanvasObject, s fyne.Size) {
	w := max(o[0].MinSize().Width, float32(int((s.Width-theme.GapInside)*l.share)))
	w = min(w, s.Width-theme.GapInside-o[1].MinSize().Width)
	o[0].Move(fyne.Position{})
	o[0].Resize(fyne.NewSize(w, s.Height))
	o[1].Move(fyne.NewPos(w+theme.GapInside, 0))
	o[1].Resize(fyne.NewSize(s.Width-w-theme.GapInside, s.Height))
}

// narrow keeps words readable: no wider than a line that an eye follows.
func narrow(width float32, o fyne.CanvasObject) fyne.CanvasObject {
	return widgets.Row(0, widgets.Space(), widgets.Wide(width, o), widgets.Space())
}

// scroll lets a column that is higher than its room be moved.
func scroll(o fyne.CanvasObject) fyne.CanvasObject {
	return scrollTight(widgets.PadXYZ(4, 4, 18, 4, o))
}

// scrollTight does so without room for the bar, where width is dear.
func scrollTight(o fyne.CanvasObject) fyne.CanvasObject {
	return container.NewVScroll(container.New(&follow{}, o))
}

// follow is as high as its content wants at the width it has.
type follow struct{ width float32 }

func (l *follow) MinSize(o []fyne.CanvasObject) fyne.Size {
	m := o[0].MinSize()
	if l.width == 0 {
		return m
	}
	return fyne.NewSize(m.Width, widgets.HeightFor(o[0], l.width))
}

func (l *follow) Layout(o []fyne.CanvasObject, s fyne.Size) {
	l.width = s.Width
	o[0].Resize(s)
}

// label is a question above its answers.
func label(words string, o fyne.CanvasObject) fyne.CanvasObject {
	return widgets.Column(6, widgets.NewWords(words, widgets.Second), o)
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
