package widgets

import (
	"bytes"
	"image"
	"sync"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"github.com/fyne-io/oksvg"
	"github.com/srwiley/rasterx"
)

// drawn is a mark as the pixels of the screen have it. A picture of the
// toolkit's reads its drawing again whenever a layout asks how large it is; this
// one is drawn once a size, when it is seen.
func drawn(r fyne.Resource) *canvas.Raster {
	return canvas.NewRaster(func(w, h int) image.Image { return marks.draw(r, w, h) })
}

var marks markCache

// markCache holds the marks that were drawn. Safe for concurrent use.
type markCache struct {
	mu  sync.Mutex
	all map[markSize]image.Image
}

type markSize struct {
	name string // with the colour in it
	w, h int
}

// mostMarks bounds the cache: every mark in every tone and size of a panel is
// some 200.
const mostMarks = 1000

// draw returns a mark in the middle of w by h pixels.
func (c *markCache) draw(r fyne.Resource, w, h int) image.Image {
	k := markSize{r.Name(), w, h}
	c.mu.Lock()
	defer c.mu.Unlock()
	if m, ok := c.all[k]; ok {
		return m
	}
	out := image.NewNRGBA(image.Rect(0, 0, w, h))
	if side := min(w, h); side > 0 {
		icon, err := oksvg.ReadIconStream(bytes.NewReader(r.Content()))
		if err != nil {
			fyne.LogError("the mark "+r.Name()+" cannot be drawn", err)
			return out
		}
		icon.SetTarget(float64(w-side)/2, float64(h-side)/2, float64(side), float64(side))
		icon.Draw(rasterx.NewDasher(w, h, rasterx.NewScannerGV(w, h, out, out.Bounds())), 1)
	}
	if c.all == nil || len(c.all) >= mostMarks {
		c.all = map[markSize]image.Image{}
	}
	c.all[k] = out
	return out
}
