package app

import (
	"image"
	"math"
	"sync"

	"tambo/kiosk/target"
)

// modelScene is the technician's sheet with its two eye models, held still where
// eyes would be. It can be out of focus.
type modelScene struct {
	blur int // radius in pixels

	mu   sync.Mutex
	made map[modelKey]*image.Gray
}

type modelKey struct {
	side          target.Side
	white         uint8
	width, height int
}

// look is the model of one side under a light of which 1 is right. The scale is
// that of an iris camera: an iris of 12 mm is a third of the width.
func (m *modelScene) look(side target.Side, light float64, w, h int) *image.Gray {
	white := uint8(min(255, 8*math.Round(190*max(0, light)/8)))
	k := modelKey{side, white, w, h}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.made[k] == nil {
		if len(m.made) > 16 {
			clear(m.made)
		}
		m.made[k] = boxBlur(target.DrawEye(side, w, h, float64(w)/37.6, white), m.blur)
	}
	return m.made[k]
}

// boxBlur spreads every pixel over a square, in two passes each way.
func boxBlur(img *image.Gray, r int) *image.Gray {
	if r == 0 {
		return img
	}
	w, h := img.Rect.Dx(), img.Rect.Dy()
	for pass := range 4 {
		out := image.NewGray(img.Rect)
		dx, dy := 1-pass%2, pass%2
		for y := range h {
			for x := range w {
				sum := 0
				for i := -r; i <= r; i++ {
					sum += int(img.Pix[min(max(y+i*dy, 0), h-1)*w+min(max(x+i*dx, 0), w-1)])
				}
				out.Pix[y*w+x] = uint8(sum / (2*r + 1))
			}
		}
		img = out
	}
	return img
}
