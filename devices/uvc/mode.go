package uvc

import (
	"fmt"
	"slices"
	"time"

	"tambo/devices/internal/mjpeg"
)

// mode is a format, size and rate: what the driver would like, and after
// negotiation what both sides agreed on.
type mode struct {
	coding        coding
	format, frame uint8
	width, height int
	interval      time.Duration
	frameSize     int    // bytes; the most, where it is compressed
	payload       int    // dwMaxPayloadTransferSize
	clockHz       uint32 // of the time stamps, 0 where it is not said
	block         []byte // the commit control
}

func (m mode) String() string {
	return fmt.Sprintf("%d×%d every %s, payloads of %d bytes", m.width, m.height, m.interval, m.payload)
}

// Sizes that the driver takes (devices.IrisFrame, devices.FaceFrame), with room
// below for tests.
const (
	minWidth, minHeight   = 32, 24
	maxWidth, maxHeight   = 1280, 960
	faceWidth, faceHeight = 4096, 3072
)

// Rates of a face camera: nothing slower than slowest is chosen while something
// else is there, and nothing faster than quickest is asked for.
const (
	slowest  = 100 * time.Millisecond
	quickest = time.Second / 30
	lively   = time.Second / 24 // quicker than this is no advantage
	maxRates = 8                // of one frame size
	maxModes = 256              // of one interface
)

// greyModes lists the grey modes of a streaming interface for one eye, or for two
// side by side, that are within the sizes an engine can use; the largest first.
func (v Streaming) greyModes(perFrame int) ([]mode, error) {
	var out []mode
	for _, f := range v.Formats {
		if f.coding() != codingGrey {
			continue
		}
		for _, r := range f.Frames {
			w := r.Width / perFrame
			if r.Width%perFrame != 0 || w < minWidth || w > maxWidth || r.Height < minHeight || r.Height > maxHeight {
				continue
			}
			out = append(out, mode{coding: codingGrey, format: f.Index, frame: r.Index, width: r.Width, height: r.Height,
				interval: r.Default, frameSize: r.Width * r.Height})
		}
	}
	slices.SortStableFunc(out, func(a, b mode) int { return b.width*b.height - a.width*a.height })
	return out, v.usable(out, "8-bit grey")
}

// colourModes lists the colour modes of a streaming interface: those that make
// the rate first, then by size, liveliness, and uncompressed before compressed.
func (v Streaming) colourModes() ([]mode, error) {
	var out []mode
	for _, f := range v.Formats {
		if !f.Colour() {
			continue
		}
		for _, r := range f.Frames {
			if r.Width < minWidth || r.Width > faceWidth || r.Height < minHeight || r.Height > faceHeight || r.Width%2 != 0 || r.Height%2 != 0 {
				continue
			}
			m := mode{coding: f.coding(), format: f.Index, frame: r.Index, width: r.Width, height: r.Height}
			switch m.coding {
			case codingYUY2:
				m.frameSize = 2 * r.Width * r.Height
			case codingNV12:
				m.frameSize = r.Width * r.Height * 3 / 2
			case codingMJPEG:
				m.frameSize = mjpeg.Limit(r.Width, r.Height, uint32(r.Bytes))
			}
			for _, d := range r.rates() {
				m.interval = d
				out = append(out, m)
			}
		}
	}
	slices.SortStableFunc(out, preferColour)
	out = out[:min(len(out), maxModes)]
	return out, v.usable(out, "colour (YUY2, NV12 or MJPEG)")
}

func preferColour(a, b mode) int {
	if as, bs := a.interval > slowest, b.interval > slowest; as != bs {
		if bs {
			return -1
		}
		return 1
	}
	if d := b.width*b.height - a.width*a.height; d != 0 {
		return d
	}
	if d := max(a.interval, lively) - max(b.interval, lively); d != 0 {
		return int(d / 100)
	}
	return int(a.coding) - int(b.coding)
}

// usable gives the error of a streaming interface that has no mode for us.
func (v Streaming) usable(modes []mode, what string) error {
	switch {
	case v.Endpoint == 0 && len(v.Alternates) == 0:
		return fmt.Errorf("%w: streaming interface %d has neither a bulk nor an isochronous endpoint", errUnsupported, v.Number)
	case len(modes) == 0:
		return fmt.Errorf("%w: streaming interface %d has no %s format of a usable size", errUnsupported, v.Number, what)
	}
	return nil
}

// rates lists the intervals that are worth asking for: the one nearest to the
// quickest, and slower ones for a bus that lacks the bandwidth.
func (r Frame) rates() []time.Duration {
	first := r.nearest(quickest)
	out := []time.Duration{first}
	slower := r.Intervals
	if len(slower) == 0 {
		slower = []time.Duration{r.nearest(2 * quickest), r.nearest(slowest)}
	}
	for _, d := range slower {
		if d > first && d <= slowest && !slices.Contains(out, d) && len(out) < maxRates {
			out = append(out, d)
		}
	}
	return out
}

// nearest is the interval that the frame offers closest to the one wanted, the
// shorter first.
func (r Frame) nearest(want time.Duration) time.Duration {
	if len(r.Intervals) == 0 {
		switch {
		case r.Longest <= 0:
			return r.Default
		case r.Step > 0 && want > r.Shortest:
			want = r.Shortest + (want-r.Shortest)/r.Step*r.Step
		}
		return min(max(want, r.Shortest), r.Longest)
	}
	return slices.MinFunc(r.Intervals, func(a, b time.Duration) int {
		if d := (a - want).Abs() - (b - want).Abs(); d != 0 {
			return int(d)
		}
		return int(a - b)
	})
}
