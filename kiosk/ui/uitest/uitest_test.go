package uitest

import (
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/widget"

	"tambo/kiosk/ui/theme"
)

// pad is a thing one can touch, of a size that nobody helps.
type pad struct {
	widget.BaseWidget
	key, off bool
	in       fyne.CanvasObject
}

func newPad(in fyne.CanvasObject) *pad {
	p := &pad{in: in}
	p.ExtendBaseWidget(p)
	return p
}

func (p *pad) Tapped(*fyne.PointEvent)             {}
func (p *pad) IsKey() bool                         { return p.key }
func (p *pad) Disabled() bool                      { return p.off }
func (p *pad) Enable()                             {}
func (p *pad) Disable()                            {}
func (p *pad) CreateRenderer() fyne.WidgetRenderer { return widget.NewSimpleRenderer(p.in) }

func put(o fyne.CanvasObject, x, y, w, h float32) fyne.CanvasObject {
	o.Move(fyne.NewPos(x, y))
	o.Resize(fyne.NewSize(w, h))
	return o
}

func text(s string, size float32, c color.Color) *canvas.Text {
	t := canvas.NewText(s, c)
	t.TextSize = size
	return t
}

func border(c color.Color) fyne.CanvasObject {
	r := canvas.NewRectangle(theme.Day.Card)
	r.StrokeColor, r.StrokeWidth = c, 2
	return r
}

// TestFindings: each mistake on purpose is found, and a good screen is not
// blamed.
func TestFindings(t *testing.T) {
	day := theme.Day
	ink := day.Ink
	tests := []struct {
		name string
		bad  []fyne.CanvasObject
		want string // of one finding; empty: none
	}{
		{"good", []fyne.CanvasObject{
			put(newPad(border(day.Border)), 20, 20, 60, 60), put(newPad(border(day.Border)), 95, 20, 60, 60),
			put(text("working text", 18, ink), 20, 100, 200, 25), put(text("a caption", 16, day.Ink2), 20, 130, 200, 22)}, ""},
		{"small target", []fyne.CanvasObject{put(newPad(border(day.Border)), 20, 20, 59, 80)}, "is 11.8×16.0 mm, wants 12"},
		{"a key may be 9 mm", []fyne.CanvasObject{put(&pad{key: true}, 20, 20, 45, 60)}, ""},
		{"small key", []fyne.CanvasObject{put(&pad{key: true}, 20, 20, 44, 60)}, "wants 9"},
		{"what cannot be touched is no target", []fyne.CanvasObject{put(&pad{off: true}, 20, 20, 10, 10)}, ""},
		{"close", []fyne.CanvasObject{put(newPad(border(day.Border)), 20, 20, 60, 60), put(newPad(border(day.Border)), 94, 20, 60, 60)}, "2.8 mm apart"},
		{"over each other", []fyne.CanvasObject{put(newPad(border(day.Border)), 20, 20, 60, 60), put(newPad(border(day.Border)), 70, 20, 60, 60)}, "lies over"},
		{"small text", []fyne.CanvasObject{put(text("tiny", 15, ink), 20, 20, 80, 30)}, "is 15 px"},
		{"text between sizes", []fyne.CanvasObject{put(text("odd", 17, ink), 20, 20, 80, 30)}, "neither a caption"},
		{"cut text", []fyne.CanvasObject{put(text("ERIKSSON, Anna Maria", 18, ink), 20, 20, 80, 30)}, "needs"},
		{"text out of its box", []fyne.CanvasObject{put(container.NewWithoutLayout(put(text("out", 18, ink), 60, 0, 40, 26)), 20, 20, 70, 30)}, "sticks out"},
		{"text out of the window", []fyne.CanvasObject{put(text("gone", 18, ink), 1010, 20, 60, 30)}, "sticks out"},
		{"target out of the window", []fyne.CanvasObject{put(newPad(border(day.Border)), 980, 20, 60, 60)}, "sticks out"},
		{"texts overlap", []fyne.CanvasObject{put(text("one word", 18, ink), 20, 20, 100, 26), put(text("another", 18, ink), 50, 26, 100, 26)}, "overlap"},
		{"text over a target", []fyne.CanvasObject{put(newPad(border(day.Border)), 20, 20, 60, 60), put(text("over", 18, ink), 30, 30, 60, 26)}, "lies over"},
		{"pale text", []fyne.CanvasObject{put(text("pale", 18, color.NRGBA{0x9A, 0xA5, 0xAE, 255}), 20, 20, 60, 30)}, "contrast"},
		{"text on a ground of its own", []fyne.CanvasObject{put(canvas.NewRectangle(day.Bar), 0, 0, 200, 60), put(text("on bar", 18, ink), 20, 10, 80, 30)}, "contrast"},
		{"pale border", []fyne.CanvasObject{put(newPad(border(day.Hairline)), 20, 20, 60, 60)}, "border"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			App(t, false, theme.Metrics{})
			for _, o := range tt.bad {
				if p, ok := o.(*pad); ok && p.in == nil {
					p.in = border(day.Border)
					s, at := p.Size(), p.Position()
					p.ExtendBaseWidget(p)
					put(p, at.X, at.Y, s.Width, s.Height)
				}
			}
			w := Window(t, container.NewWithoutLayout(tt.bad...), fyne.NewSize(1024, 768))
			found := Check(w.Canvas())
			all := strings.Join(found, "\n")
			if tt.want == "" && len(found) > 0 {
				t.Errorf("blamed a good screen:\n%s", all)
			}
			if !strings.Contains(all, tt.want) {
				t.Errorf("did not find %q, found:\n%s", tt.want, all)
			}
		})
	}
}

// TestScrolled: what is scrolled out of sight is not blamed, what is too small
// in sight is.
func TestScrolled(t *testing.T) {
	App(t, false, theme.Metrics{})
	tall := container.NewWithoutLayout(put(newPad(border(theme.Day.Border)), 0, 0, 60, 40), put(text("far below", 18, theme.Day.Ink), 0, 2000, 100, 30))
	tall.Resize(fyne.NewSize(300, 2100))
	w := Window(t, container.NewScroll(container.NewGridWrap(fyne.NewSize(300, 2100), tall)), fyne.NewSize(1024, 768))
	found := strings.Join(Check(w.Canvas()), "\n")
	if !strings.Contains(found, "wants 12") || strings.Contains(found, "far below") {
		t.Errorf("found:\n%s", found)
	}
}

// TestDiffer: the tolerance lets an edge differ and catches a word.
func TestDiffer(t *testing.T) {
	a := image.NewRGBA(image.Rect(0, 0, 64, 64))
	b := image.NewRGBA(a.Rect)
	for y := range 64 {
		b.Set(31, y, color.RGBA{20, 20, 20, 255}) // soft edge
	}
	if err := differ(a, b); err != nil {
		t.Errorf("an edge of 20 levels: %v", err)
	}
	for i := range 24 {
		b.Set(8+i%6, 8+i/6, color.White)
	}
	if differ(a, b) == nil {
		t.Error("24 white pixels of 256 passed")
	}
	if differ(a, image.NewRGBA(image.Rect(0, 0, 64, 63))) == nil {
		t.Error("another size passed")
	}
}

// TestWriteKeepsColours: a stored picture is near the one that was drawn, and two
// fields whose colours are nearly the same stay apart.
func TestWriteKeepsColours(t *testing.T) {
	img := image.NewNRGBA(image.Rect(0, 0, 640, 480))
	for y := range 480 {
		for x := range 640 {
			c := color.NRGBA{0xE3, 0xF0, 0xF2, 255}
			switch {
			case y < 200:
				c = color.NRGBA{0xE6, 0xEB, 0xEF, 255}
			case y > 400:
				c = color.NRGBA{uint8(x % 256), uint8((x + y) % 256), uint8(y % 256), 255}
			}
			if y > 400 && x > 40 {
				c = color.NRGBA{uint8(x % 200), uint8(x % 200), uint8(x % 200), 255}
			}
			img.SetNRGBA(x, y, c)
		}
	}
	file := filepath.Join(t.TempDir(), "x.png")
	if err := Write(file, img); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	got, err := png.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	if err := differ(got, img); err != nil {
		t.Error(err)
	}
	for _, y := range []int{10, 300} {
		if r1, g1, b1, _ := got.At(5, y).RGBA(); true {
			if r2, g2, b2, _ := img.At(5, y).RGBA(); r1 != r2 || g1 != g2 || b1 != b2 {
				t.Errorf("the field at %d is another colour", y)
			}
		}
	}
	if _, ok := got.(*image.Paletted); !ok {
		t.Errorf("it is stored as %T", got)
	}
}
