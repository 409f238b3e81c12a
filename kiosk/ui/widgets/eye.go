package widgets

import (
	"image"
	"image/color"
	"sync/atomic"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/widget"

	"tambo/kiosk/ui/theme"
)

// EyeFrame is one frame of a live view. Nobody may change it once it is given
// to Feed.
type EyeFrame struct {
	Gray   *image.Gray  // of one eye
	Colour *image.YCbCr // in place of Gray: of a face
	// Contours are closed lines on the frame, in its own pixels: the pupil, the
	// iris. They are drawn dotted in the tone.
	Contours [][]fyne.Position
	Tone     theme.Tone
	// Marks are closed lines too, in a quiet colour: where a face should be.
	Marks [][]fyne.Position
}

// size is the frame's, zero if it shows nothing.
func (f *EyeFrame) size() image.Point {
	switch {
	case f.Colour != nil:
		return f.Colour.Rect.Size()
	case f.Gray != nil:
		return f.Gray.Rect.Size()
	}
	return image.Point{}
}

// EyeView shows the newest frame of an eye, or of a face, with its contours. Frames may come
// faster than they are drawn: there is one slot, and the newest wins. Two buffers
// alternate, so that nothing is allocated per frame.
type EyeView struct {
	widget.BaseWidget
	slot  atomic.Pointer[EyeFrame]
	busy  atomic.Bool // a buffer is being drawn, or waits for the UI goroutine
	gone  atomic.Bool // closed
	pixel atomic.Int64
	drawn atomic.Int64

	shown *canvas.Image
	words *Words // in place of an eye
	empty string
	// Whoever made busy true owns these.
	buffer [2]*image.RGBA
	next   int
	last   *EyeFrame
}

// NewEyeView returns a view that shows words until a frame comes.
func NewEyeView(empty string) *EyeView {
	v := &EyeView{empty: empty, shown: canvas.NewImageFromImage(nil)}
	v.shown.FillMode, v.shown.ScaleMode = canvas.ImageFillStretch, canvas.ImageScaleFastest
	v.shown.CornerRadius = theme.RadiusTouch
	v.shown.Hide()
	v.words = NewWords(empty, Style{Centre: true, Colour: func(p *theme.Palette) nrgba { return p.Lines }})
	v.ExtendBaseWidget(v)
	return v
}

// Clear takes the picture away and shows words again. UI goroutine only.
func (v *EyeView) Clear(words string) {
	v.slot.Store(nil)
	if v.busy.CompareAndSwap(false, true) {
		v.last = nil
		v.busy.Store(false)
	}
	v.empty = words
	v.words.Set(words)
	v.shown.Hide()
	v.words.Show()
	v.Refresh()
}

// Feed puts a frame into the slot. Any goroutine; never waits.
func (v *EyeView) Feed(f EyeFrame) {
	if s := f.size(); s.X <= 0 || s.Y <= 0 {
		return
	}
	v.slot.Store(&f)
}

// Draw draws the newest frame, in the view's own pixels, and returns what shows
// it: a short call that must be made on the UI goroutine, even of a view that is
// closed meanwhile. Nil: there is nothing new to show, or the last is not shown
// yet. Any goroutine; several views are drawn and then shown in one call, so that
// the window is painted once for all of them.
func (v *EyeView) Draw() (show func()) {
	img := v.draw()
	if img == nil {
		return nil
	}
	return func() { v.put(img) }
}

// Flush draws the waiting frame at once. UI goroutine only; for what does not
// move: tests, still pictures.
func (v *EyeView) Flush() {
	if show := v.Draw(); show != nil {
		show()
	}
}

// Close ends the view for good and lets go of what it drew, however long the
// toolkit remembers the view. UI goroutine only.
func (v *EyeView) Close() {
	v.gone.Store(true)
	v.slot.Store(nil)
	v.shown.Image = nil
	if v.busy.CompareAndSwap(false, true) { // else put does it
		v.buffer, v.last = [2]*image.RGBA{}, nil
	}
}

// Drawn counts the frames that were drawn.
func (v *EyeView) Drawn() int64 { return v.drawn.Load() }

func (v *EyeView) put(img *image.RGBA) {
	if v.gone.Load() {
		v.buffer, v.last = [2]*image.RGBA{}, nil
		return // busy for ever
	}
	v.shown.Image = img
	if !v.shown.Visible() {
		v.words.Hide()
		v.shown.Show()
		v.Refresh()
	} else {
		canvas.Refresh(v.shown)
	}
	v.busy.Store(false)
}

// draw fills the buffer that is not shown. Nil: nothing new, the last one is
// still on its way, or the view has no size yet.
func (v *EyeView) draw() *image.RGBA {
	if !v.busy.CompareAndSwap(false, true) {
		return nil
	}
	size := v.pixel.Load()
	w, h := int(size>>32), int(size&0xFFFFFFFF)
	var f *EyeFrame
	if w > 0 && h > 0 {
		f = v.slot.Swap(nil)
	}
	if f == nil {
		v.busy.Store(false)
		return nil
	}
	v.last = f
	b := v.buffer[v.next]
	if b == nil || b.Rect.Dx() != w || b.Rect.Dy() != h {
		b = image.NewRGBA(image.Rect(0, 0, w, h))
		v.buffer[v.next] = b
	}
	v.next = 1 - v.next
	blit(b, f)
	v.drawn.Add(1)
	return b
}

// again draws the last frame in another size.
func (v *EyeView) again() {
	if v.busy.CompareAndSwap(false, true) {
		f := v.last
		v.busy.Store(false)
		if f != nil {
			v.slot.CompareAndSwap(nil, f)
		}
	}
	v.Flush()
}

// blit fills dst with the middle of the frame, or with all of a frame in colour,
// keeping its proportions, and draws the contours.
func blit(dst *image.RGBA, f *EyeFrame) {
	size := f.size()
	sw, sh := float32(size.X), float32(size.Y)
	w, h := float32(dst.Rect.Dx()), float32(dst.Rect.Dy())
	step := min(sw/w, sh/h) // source pixels a destination pixel
	if f.Colour != nil {    // where a head is in the frame matters: all of it is seen
		step = max(sw/w, sh/h)
	}
	x0, y0 := (sw-w*step)/2, (sh-h*step)/2
	if f.Colour != nil {
		blitColour(dst, f.Colour, x0, y0, step)
	} else {
		blitGray(dst, f.Gray, x0, y0, step)
	}
	at := func(p fyne.Position) (float32, float32) { return (p.X - x0) / step, (p.Y - y0) / step }
	for _, line := range f.Marks {
		dots(dst, line, at, color.NRGBA{R: 240, G: 244, B: 246, A: 255})
	}
	c := theme.Night.Tone(f.Tone).Ink // bright: the picture is grey by day too
	for _, line := range f.Contours {
		dots(dst, line, at, c)
	}
}

// blitGray fills dst from the place x0, y0 of a grey frame on, step pixels apart.
func blitGray(dst *image.RGBA, g *image.Gray, x0, y0, step float32) {
	const one = 1 << 8
	for y := range dst.Rect.Dy() {
		fy := int((y0 + (float32(y)+0.5)*step - 0.5) * one)
		fy = min(max(fy, 0), (g.Rect.Dy()-1)*one)
		sy, ty := fy/one, fy%one
		row := g.Pix[sy*g.Stride : sy*g.Stride+g.Rect.Dx()]
		below := row
		if sy+1 < g.Rect.Dy() {
			below = g.Pix[(sy+1)*g.Stride : (sy+1)*g.Stride+g.Rect.Dx()]
		}
		out := dst.Pix[y*dst.Stride : y*dst.Stride+4*dst.Rect.Dx()]
		fx, dx := int((x0+0.5*step-0.5)*one), int(step*one)
		for i := 0; i+4 <= len(out); i += 4 {
			x := min(max(fx, 0), (len(row)-1)*one)
			sx, tx := x/one, x%one
			rx := min(sx+1, len(row)-1)
			top := int(row[sx])*(one-tx) + int(row[rx])*tx
			low := int(below[sx])*(one-tx) + int(below[rx])*tx
			v := uint8((top*(one-ty) + low*ty) >> 16)
			out[i], out[i+1], out[i+2], out[i+3] = v, v, v, 255
			fx += dx
		}
	}
}

// blitColour is blitGray for a frame in colour, with room beside it: light is interpolated, colour,
// which the eye sees coarser, is taken from the nearest place.
func blitColour(dst *image.RGBA, g *image.YCbCr, x0, y0, step float32) {
	const one = 1 << 8
	w, h := g.Rect.Dx(), g.Rect.Dy()
	room := theme.Night.Screen
	for y := range dst.Rect.Dy() {
		at := y0 + (float32(y)+0.5)*step
		fy := min(max(int((at-0.5)*one), 0), (h-1)*one)
		above := at < 0 || at >= float32(h)
		sy, ty := fy/one, fy%one
		row := g.Y[sy*g.YStride : sy*g.YStride+w]
		below := row
		if sy+1 < h {
			below = g.Y[(sy+1)*g.YStride : (sy+1)*g.YStride+w]
		}
		out := dst.Pix[y*dst.Stride : y*dst.Stride+4*dst.Rect.Dx()]
		fx, dx := int((x0+0.5*step-0.5)*one), int(step*one)
		for i := 0; i+4 <= len(out); i += 4 {
			if above || fx < -one/2 || fx >= w*one-one/2 {
				out[i], out[i+1], out[i+2], out[i+3] = room.R, room.G, room.B, 255
				fx += dx
				continue
			}
			x := min(max(fx, 0), (w-1)*one)
			sx, tx := x/one, x%one
			rx := min(sx+1, w-1)
			top := int(row[sx])*(one-tx) + int(row[rx])*tx
			low := int(below[sx])*(one-tx) + int(below[rx])*tx
			v := uint8((top*(one-ty) + low*ty) >> 16)
			c := g.COffset(g.Rect.Min.X+sx, g.Rect.Min.Y+sy)
			out[i], out[i+1], out[i+2] = color.YCbCrToRGB(v, g.Cb[c], g.Cr[c])
			out[i+3] = 255
			fx += dx
		}
	}
}

// dots draws a closed line as dots of even distance.
func dots(dst *image.RGBA, line []fyne.Position, at func(fyne.Position) (float32, float32), c color.NRGBA) {
	side := max(2, dst.Rect.Dx()/180)
	every, gone := float32(side)*3.2, float32(0)
	for i := range line {
		ax, ay := at(line[i])
		bx, by := at(line[(i+1)%len(line)])
		length := fyne.NewDelta(bx-ax, by-ay)
		d := sqrt(length.DX*length.DX + length.DY*length.DY)
		for ; gone < d; gone += every {
			t := gone / d
			x, y := int(ax+(bx-ax)*t)-side/2, int(ay+(by-ay)*t)-side/2
			for yy := max(y, 0); yy < min(y+side, dst.Rect.Dy()); yy++ {
				for xx := max(x, 0); xx < min(x+side, dst.Rect.Dx()); xx++ {
					dst.SetRGBA(xx, yy, color.RGBA{c.R, c.G, c.B, 255})
				}
			}
		}
		gone -= d
	}
}

// CreateRenderer implements fyne.Widget.
func (v *EyeView) CreateRenderer() fyne.WidgetRenderer {
	r := &eyeRenderer{v: v, ground: box(nil, nil, 0, theme.RadiusTouch)}
	r.Refresh()
	return r
}

type eyeRenderer struct {
	v      *EyeView
	ground *canvas.Rectangle
}

func (r *eyeRenderer) Destroy()           {}
func (r *eyeRenderer) MinSize() fyne.Size { return fyne.NewSize(200, 125) }
func (r *eyeRenderer) Objects() []fyne.CanvasObject {
	return []fyne.CanvasObject{r.ground, r.v.words, r.v.shown}
}

func (r *eyeRenderer) Layout(s fyne.Size) {
	r.ground.Resize(s)
	r.v.shown.Resize(s)
	inner := s.Width - 2*theme.GapEdge
	h := r.v.words.HeightFor(inner)
	r.v.words.Move(fyne.NewPos(theme.GapEdge, (s.Height-h)/2))
	r.v.words.Resize(fyne.NewSize(inner, h))
	scale := float32(1)
	if c := fyne.CurrentApp().Driver().CanvasForObject(r.v); c != nil {
		scale = c.Scale()
	}
	// What is drawn is capped; the graphics card stretches the rest.
	w, h := s.Width*scale, s.Height*scale
	if most := float32(640); w > most {
		w, h = most, h*most/w
	}
	if size := int64(w)<<32 | int64(h); r.v.pixel.Swap(size) != size && w >= 1 && h >= 1 {
		r.v.again()
	}
}

func (r *eyeRenderer) Refresh() {
	r.ground.FillColor = look().Screen
	r.ground.Refresh()
	r.v.words.Refresh()
	canvas.Refresh(r.v)
}
