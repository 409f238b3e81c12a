package sessiontest

import (
	"context"
	"image"
	"sync"

	"tambo/devices"
	"tambo/kiosk"
)

// Reader is a reader of print that says what it was told. The zero Reader reads
// nothing.
type Reader struct {
	mu    sync.Mutex
	words []kiosk.Word
	on    bool
}

var _ devices.TextReader = (*Reader)(nil)

// Says has every page from now on bear these lines, a caption over its value, one
// under another.
func (r *Reader) Says(lines ...[]string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.words, r.on = nil, true
	for n, l := range lines {
		x, y := 200, 60*(n+1)
		for _, w := range l {
			wide := 22 * len([]rune(w))
			r.words = append(r.words, kiosk.Word{Text: w, Box: image.Rect(x, y, x+wide, y+36), Confidence: 0.95, Line: n})
			x += wide + 14
		}
	}
}

// ReadText implements devices.TextReader. Of a picture that is not a whole page it
// says what stands there alone: a second reading confirms the first.
func (r *Reader) ReadText(_ context.Context, img *image.Gray) ([]kiosk.Word, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.on || img == nil {
		return nil, devices.ErrUnsupported
	}
	if img.Rect.Dx() > 1000 {
		return r.words, nil
	}
	var out []kiosk.Word
	for _, w := range r.words { // an enlarged place is known by its size
		if d := img.Rect.Dx() - 2*(w.Box.Dx()+20) - 40; d == 0 {
			out = append(out, w)
		}
	}
	return out, nil
}
