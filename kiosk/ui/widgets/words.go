package widgets

import (
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/widget"

	"tambo/kiosk/ui/theme"
)

// Style is how words look. The zero Style is working text.
type Style struct {
	Size    float32 // 0: theme.SizeText
	Bold    bool
	Second  bool       // second ink
	Tone    theme.Tone // in the tone's ink
	Mono    bool       // OCR-B: machine-readable zones, codes that are read out
	Centre  bool
	OneLine bool                       // never broken; says how wide it is
	Shrink  bool                       // smaller, down to a caption, before it breaks where it must not
	Colour  func(*theme.Palette) nrgba // overrules the above, nil: not
}

// Common styles.
var (
	Hero    = Style{Size: theme.SizeHero, Bold: true}
	Title   = Style{Size: theme.SizeTitle, Bold: true}
	Heading = Style{Size: theme.SizeHeading, Bold: true}
	Body    = Style{}
	Strong  = Style{Bold: true}
	Second  = Style{Second: true}
	Caption = Style{Size: theme.SizeCaption, Second: true}
)

// On returns the style in another tone.
func (s Style) On(t theme.Tone) Style { s.Tone = t; return s }

// Once returns the style on one line.
func (s Style) Once() Style { s.OneLine = true; return s }

func (s Style) colour(p *theme.Palette) nrgba {
	switch {
	case s.Colour != nil:
		return s.Colour(p)
	case s.Tone != theme.Plain:
		return p.Tone(s.Tone).Ink
	case s.Second:
		return p.Ink2
	}
	return p.Ink
}

func (s Style) size() float32 {
	if s.Size == 0 {
		return theme.SizeText
	}
	return s.Size
}

// text draws one run of words.
func (s Style) text(words string) *canvas.Text {
	t := canvas.NewText(words, s.colour(look()))
	t.TextSize, t.TextStyle = s.size(), s.face()
	t.FontSource = theme.FontFor(words, t.TextStyle)
	if s.Centre {
		t.Alignment = fyne.TextAlignCenter
	}
	return t
}

func (s Style) measure(words string) fyne.Size {
	return theme.Measure(words, s.size(), s.face())
}

func (s Style) face() fyne.TextStyle { return fyne.TextStyle{Bold: s.Bold, Monospace: s.Mono} }

// Words is a paragraph. It breaks lines at spaces, never within a word, and
// never at a no-break space (U+00A0): names, dates and numbers hold together with
// it. "**" begins and ends bold; a line feed ends a line.
type Words struct {
	widget.BaseWidget
	style Style
	text  string
	width float32 // it was laid out for, 0 if it was not
	lines []fyne.CanvasObject
	// known are the lines at the last few widths: a layout asks for the same
	// ones again and again, and measuring text is most of what it costs.
	known []broken
}

// broken is a paragraph broken into lines for a width.
type broken struct {
	width  float32
	lines  [][]run
	widest float32
	height float32 // of a line
}

const mostKnown = 4

// NewWords returns a paragraph.
func NewWords(text string, s Style) *Words {
	w := &Words{style: s, text: text}
	w.ExtendBaseWidget(w)
	return w
}

// Set changes the words.
func (w *Words) Set(text string) {
	if w.text == text {
		return
	}
	w.text, w.known = text, nil
	w.Refresh()
}

// Text returns the words.
func (w *Words) Text() string { return w.text }

type run struct {
	text  string
	style Style
	x     float32
}

// set breaks the words into lines that fit a width; 0 is as wide as it takes.
func (w *Words) set(width float32) broken {
	for _, b := range w.known {
		if b.width == width {
			return b
		}
	}
	as := w
	if w.style.Shrink && width > 0 {
		as = w.shrunk(width)
	}
	b := broken{width: width, height: as.style.measure("Mg").Height}
	b.lines, b.widest = as.broken(width)
	if len(w.known) == mostKnown {
		w.known = w.known[1:]
	}
	w.known = append(w.known, b)
	return b
}

func (w *Words) broken(width float32) (lines [][]run, widest float32) {
	for _, para := range strings.Split(w.text, "\n") {
		line, x := []run(nil), float32(0)
		flush := func() {
			lines, widest = append(lines, line), max(widest, x)
			line, x = nil, 0
		}
		s := w.style
		for i, part := range strings.Split(para, "**") {
			s.Bold = w.style.Bold != (i%2 == 1)
			space := s.measure(" ").Width
			for j, word := range strings.Split(part, " ") {
				if j > 0 && len(line) > 0 { // a space stood here
					if last := &line[len(line)-1]; last.style.Bold == s.Bold {
						last.text += " "
					}
					x += space
				}
				if word == "" {
					continue
				}
				wide := s.measure(word).Width
				if width > 0 && !w.style.OneLine && x > 0 && x+wide > width+0.5 {
					x = trim(line, x)
					flush()
				}
				n := len(line)
				if n > 0 && line[n-1].style.Bold == s.Bold {
					line[n-1].text += word
					x = line[n-1].x + s.measure(line[n-1].text).Width
				} else {
					line = append(line, run{word, s, x})
					x += wide
				}
			}
		}
		x = trim(line, x)
		flush()
	}
	return lines, widest
}

// shrunk returns the words as large as they fit a width without a break where
// none may be; where even a caption does not fit, they break at every space.
func (w *Words) shrunk(width float32) *Words {
	n := &Words{style: w.style, text: w.text}
	n.style.Shrink = false
	for _, size := range []float32{w.style.size(), 20, theme.SizeText, theme.SizeCaption} {
		if n.style.Size = min(size, w.style.size()); n.longest() <= width+0.5 {
			return n
		}
	}
	n.text = strings.ReplaceAll(n.text, "\u00a0", " ")
	return n
}

// trim takes the space off a line's end.
func trim(line []run, x float32) float32 {
	if n := len(line); n > 0 {
		l := &line[n-1]
		l.text = strings.TrimRight(l.text, " ")
		return l.x + l.style.measure(l.text).Width
	}
	return x
}

// HeightFor returns the height at a width.
func (w *Words) HeightFor(width float32) float32 {
	b := w.set(width)
	return float32(len(b.lines)) * b.height
}

// longest is the width of the longest thing that is never broken.
func (w *Words) longest() (least float32) {
	if w.style.OneLine {
		return w.set(0).widest
	}
	if w.style.Shrink {
		n := &Words{style: w.style, text: strings.ReplaceAll(w.text, "\u00a0", " ")}
		n.style.Size, n.style.Shrink = theme.SizeCaption, false
		return n.longest()
	}
	bold := false
	for i, part := range strings.Split(w.text, "**") {
		bold = w.style.Bold != (i%2 == 1)
		s := w.style
		s.Bold = bold
		for _, word := range strings.FieldsFunc(part, func(r rune) bool { return r == ' ' || r == '\n' }) {
			least = max(least, s.measure(word).Width)
		}
	}
	return least
}

// Natural returns the width on one line.
func (w *Words) Natural() float32 {
	return w.set(0).widest
}

// CreateRenderer implements fyne.Widget.
func (w *Words) CreateRenderer() fyne.WidgetRenderer { return &wordsRenderer{w} }

type wordsRenderer struct{ w *Words }

func (r *wordsRenderer) Destroy()                     {}
func (r *wordsRenderer) Objects() []fyne.CanvasObject { return r.w.lines }
func (r *wordsRenderer) MinSize() fyne.Size {
	return fyne.NewSize(r.w.longest(), r.w.HeightFor(r.w.width))
}

func (r *wordsRenderer) Layout(s fyne.Size) {
	w := r.w
	w.width = s.Width
	b := w.set(s.Width)
	lines, h := b.lines, b.height
	w.lines = w.lines[:0:0]
	y := float32(0)
	if w.style.OneLine {
		y = max(0, (s.Height-h*float32(len(lines)))/2)
	}
	for _, l := range lines {
		shift := float32(0)
		if n := len(l); n > 0 && w.style.Centre {
			shift = (s.Width - l[n-1].x - l[n-1].style.measure(l[n-1].text).Width) / 2
		}
		for _, p := range l {
			st := p.style
			st.Centre = false
			t := st.text(p.text)
			t.Move(fyne.NewPos(p.x+shift, y))
			t.Resize(fyne.NewSize(st.measure(p.text).Width, h))
			w.lines = append(w.lines, t)
		}
		y += h
	}
}

func (r *wordsRenderer) Refresh() {
	r.Layout(r.w.Size())
	canvas.Refresh(r.w)
}

// Keep puts no-break spaces in place of spaces: what it returns is never
// broken over lines.
func Keep(s string) string { return strings.ReplaceAll(s, " ", "\u00a0") }

// Lines returns the lines as they are broken now.
func (w *Words) Lines() []string {
	var out []string
	for _, l := range w.set(w.width).lines {
		s := ""
		for i, r := range l {
			if i > 0 && !strings.HasSuffix(s, " ") && r.x > l[i-1].x+l[i-1].style.measure(l[i-1].text).Width+1 {
				s += " "
			}
			s += r.text
		}
		out = append(out, s)
	}
	return out
}
