package widgets

import (
	"image"
	"math"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"

	"github.com/boombuler/barcode/qr"

	"tambo/kiosk/ui/theme"
)

func sqrt(v float32) float32 { return float32(math.Sqrt(float64(v))) }

// PictureState is a still picture, or the words in place of one.
type PictureState struct {
	Image image.Image
	Empty string // why there is none
	Size  fyne.Size
	// Marks are boxes on the picture, as shares of its width and height.
	Marks []PictureMark
}

// PictureMark is a box on a picture.
type PictureMark struct {
	X, Y, W, H float32 // 0 to 1
	Tone       theme.Tone
}

// Picture shows a still picture: a page, a face.
type Picture struct {
	piece
	state PictureState
}

// NewPicture returns a picture.
func NewPicture(s PictureState) *Picture {
	p := &Picture{state: s}
	p.start(p, p.draw)
	return p
}

// Set changes the picture.
func (w *Picture) Set(s PictureState) { w.state = s; w.Refresh() }

func (w *Picture) draw() fyne.CanvasObject {
	p, s := look(), w.state
	least := fyne.NewSize(max(s.Size.Width, 60), max(s.Size.Height, 60))
	if s.Image == nil {
		return Stack(box(p.Quiet, p.Border, theme.LineHair, theme.RadiusTouch),
			AtLeast(least.Width, least.Height, Pad(6, Middle(NewWords(s.Empty, Style{Size: theme.SizeCaption, Second: true, Centre: true})))))
	}
	img := canvas.NewImageFromImage(s.Image)
	img.FillMode, img.CornerRadius = canvas.ImageFillStretch, theme.RadiusTouch
	img.SetMinSize(fyne.NewSize(1, 1))
	b := s.Image.Bounds()
	objects := []fyne.CanvasObject{img}
	for _, m := range s.Marks {
		objects = append(objects, box(nil, p.Tone(m.Tone).Solid, theme.LineChosen, 6))
	}
	return fynecontainer(&pictureLayout{aspect: float32(b.Dx()) / float32(max(1, b.Dy())), marks: s.Marks, least: least}, objects...)
}

type pictureLayout struct {
	aspect float32
	marks  []PictureMark
	least  fyne.Size
}

func (l *pictureLayout) MinSize([]fyne.CanvasObject) fyne.Size { return l.least }
func (l *pictureLayout) heightFor(_ []fyne.CanvasObject, w float32) float32 {
	return max(l.least.Height, min(w/l.aspect, l.least.Height*4))
}

func (l *pictureLayout) Layout(o []fyne.CanvasObject, s fyne.Size) {
	w, h := s.Width, s.Width/l.aspect
	if h > s.Height {
		w, h = s.Height*l.aspect, s.Height
	}
	at := fyne.NewPos((s.Width-w)/2, (s.Height-h)/2)
	o[0].Move(at)
	o[0].Resize(fyne.NewSize(w, h))
	for i, m := range l.marks {
		o[i+1].Move(at.AddXY(m.X*w, m.Y*h))
		o[i+1].Resize(fyne.NewSize(m.W*w, m.H*h))
	}
}

// Code shows a QR code (ISO/IEC 18004, error correction M), with the words that
// it holds beside it in OCR-B for those who must read it out.
type Code struct {
	piece
	content, words string
	side           float32
}

// NewCode returns a code of at least a side's length. Content that no QR code
// can hold shows its words alone.
func NewCode(content, words string, side float32) *Code {
	c := &Code{content: content, words: words, side: side}
	c.start(c, c.draw)
	return c
}

// Set changes the code.
func (c *Code) Set(content, words string) {
	c.content, c.words = content, words
	c.Refresh()
}

func (c *Code) draw() fyne.CanvasObject {
	row := []fyne.CanvasObject{}
	if img := lastCode.of(c.content); img != nil {
		i := canvas.NewImageFromImage(img)
		i.ScaleMode, i.FillMode = canvas.ImageScalePixels, canvas.ImageFillContain
		modules := img.Bounds().Dx()
		side := max(c.side, float32(modules)*2)
		i.SetMinSize(fyne.NewSize(side, side))
		row = append(row, Middle(i))
	}
	if c.words != "" {
		row = append(row, Grow(Middle(NewWords(c.words, Style{Size: 20, Mono: true}))))
	}
	return Row(14, row...)
}

// lastCode is the code that was drawn last: a slip's is shown again and again, and
// takes 20 ms to make.
var lastCode keptCode

type keptCode struct {
	content string
	img     *image.Gray
}

func (k *keptCode) of(content string) *image.Gray {
	if k.img == nil || k.content != content {
		k.content, k.img = content, codeImage(content)
	}
	return k.img
}

// codeImage draws the modules, one pixel each, with the quiet zone of four.
// It is black on white by night too: scanners want it.
func codeImage(content string) *image.Gray {
	const quiet = 4
	code, err := qr.Encode(content, qr.M, qr.Auto)
	if err != nil || content == "" {
		return nil
	}
	n := code.Bounds().Dx()
	img := image.NewGray(image.Rect(0, 0, n+2*quiet, n+2*quiet))
	for i := range img.Pix {
		img.Pix[i] = 255
	}
	for y := range n {
		for x := range n {
			if r, _, _, _ := code.At(x, y).RGBA(); r == 0 {
				img.Pix[(y+quiet)*img.Stride+x+quiet] = 0
			}
		}
	}
	return img
}

// PlotState is a small series over time against its floor.
type PlotState struct {
	Values   []float64
	Low, Top float64    // what the plot's bottom and top mean; equal: from the values
	Floor    float64    // NaN: none
	Tone     theme.Tone // Plain: the accent
}

// Plot shows how a number went, and the floor it must keep as a dashed line.
type Plot struct {
	piece
	state PlotState
}

// NewPlot returns a plot.
func NewPlot(s PlotState) *Plot {
	p := &Plot{state: s}
	p.start(p, p.draw)
	return p
}

// Set changes the plot.
func (w *Plot) Set(s PlotState) { w.state = s; w.Refresh() }

func (w *Plot) draw() fyne.CanvasObject {
	p, s := look(), w.state
	c := p.Accent
	if s.Tone != theme.Plain {
		c = p.Tone(s.Tone).Solid
	}
	l := &plotLayout{s: s}
	var objects []fyne.CanvasObject
	add := func(col nrgba, width float32) {
		n := canvas.NewLine(col)
		n.StrokeWidth = width
		objects = append(objects, n)
	}
	if !math.IsNaN(s.Floor) {
		l.dashes = 28
		for range l.dashes {
			add(p.Ink, 2)
		}
	}
	for i := 1; i < len(s.Values); i++ {
		add(c, 3.5)
	}
	return fynecontainer(l, objects...)
}

type plotLayout struct {
	s      PlotState
	dashes int
}

func (l *plotLayout) MinSize([]fyne.CanvasObject) fyne.Size { return fyne.NewSize(120, 56) }

func (l *plotLayout) Layout(o []fyne.CanvasObject, s fyne.Size) {
	low, top := l.s.Low, l.s.Top
	if low == top {
		low, top = math.Inf(1), math.Inf(-1)
		for _, v := range append([]float64{l.s.Floor}, l.s.Values...) {
			if !math.IsNaN(v) {
				low, top = min(low, v), max(top, v)
			}
		}
	}
	if !(top > low) {
		low, top = low-1, low+1
	}
	y := func(v float64) float32 {
		t := min(max((v-low)/(top-low), 0), 1)
		return 3 + float32(1-t)*(s.Height-6)
	}
	put := func(o fyne.CanvasObject, x1, y1, x2, y2 float32) {
		n := o.(*canvas.Line)
		n.Position1, n.Position2 = fyne.NewPos(x1, y1), fyne.NewPos(x2, y2)
		n.Refresh()
	}
	for i := range l.dashes {
		d := s.Width / float32(l.dashes)
		put(o[i], float32(i)*d, y(l.s.Floor), (float32(i)+0.55)*d, y(l.s.Floor))
	}
	n := len(l.s.Values)
	for i := 1; i < n; i++ {
		d := s.Width / float32(n-1)
		put(o[l.dashes+i-1], float32(i-1)*d, y(l.s.Values[i-1]), float32(i)*d, y(l.s.Values[i]))
	}
}

// Pictogram is a mark so large that it speaks to somebody who reads no words.
func Pictogram(s theme.Sign, side float32) fyne.CanvasObject {
	i := canvas.NewImageFromResource(theme.Pictogram(s, look().Accent, side))
	i.FillMode = canvas.ImageFillContain
	i.SetMinSize(fyne.NewSize(side, side))
	return Row(0, Space(), i, Space())
}

// Ground paints the paper under a screen of its own window.
func Ground(o fyne.CanvasObject) fyne.CanvasObject { return Stack(box(look().Paper, nil, 0, 0), o) }
