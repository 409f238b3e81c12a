package sessiontest

import (
	"context"
	"image"
	"sync"

	"tambo/devices"
	"tambo/kiosk"
)

// Print is a reader of print that says what it was told. The zero Print reads
// nothing.
type Print struct {
	mu    sync.Mutex
	words []kiosk.Word
	on    bool
}

var _ devices.TextReader = (*Print)(nil)

// Says has every page from now on bear these lines, a caption over its value, one
// under another.
func (p *Print) Says(lines ...[]string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.words, p.on = nil, true
	for n, l := range lines {
		x, y := 200, 60*(n+1)
		for _, w := range l {
			wide := 22 * len([]rune(w))
			p.words = append(p.words, kiosk.Word{Text: w, Box: image.Rect(x, y, x+wide, y+36), Confidence: 0.95, Line: n})
			x += wide + 14
		}
	}
}

// ReadText implements devices.TextReader. Of a picture that is not a whole page it
// says what stands there alone: a second reading confirms the first.
func (p *Print) ReadText(_ context.Context, img *image.Gray) ([]kiosk.Word, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.on || img == nil {
		return nil, devices.ErrUnsupported
	}
	if img.Rect.Dx() > 1000 {
		return p.words, nil
	}
	var out []kiosk.Word
	for _, w := range p.words { // an enlarged place is known by its size
		if d := img.Rect.Dx() - 2*(w.Box.Dx()+20) - 40; d == 0 {
			out = append(out, w)
		}
	}
	return out, nil
}
