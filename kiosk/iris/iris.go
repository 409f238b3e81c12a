// Package iris turns a near-infrared picture of one eye into a template and
// compares templates.
//
// The chain is classical signal processing with no learned weights and no
// setting per camera: reflections are filled, the pupil is proposed by
// gradient voting and darkness, both boundaries are traced by dynamic
// programming on polar samples, lids and lashes are told from the iris by the
// iris's own grey values, the ring is unrolled (Daugman's rubber sheet) and
// filtered with log-Gabor wavelets whose response signs are the code. Quality
// follows ISO/IEC 29794-6:2015; terms follow ISO/IEC 2382-37.
//
// The package never reads files, keeps no image, never decides whether two
// eyes are the same (policy holds false match rates against
// [Comparison].LogFMR), and never turns too little iris into a score.
package iris

import (
	"errors"
	"fmt"
	"image"

	"tambo/kiosk"
)

// Errors of [Engine.Process].
var (
	// ErrTooSmall says that the image has less than [MinSide] pixels a side.
	ErrTooSmall = errors.New("iris: image too small")
	// ErrTooLarge says that the image has more than [MaxPixels] pixels.
	ErrTooLarge = errors.New("iris: image too large")
	// ErrBlank says that the image is one grey: a covered lens, no light.
	ErrBlank = errors.New("iris: image without contrast")
	// ErrNoEye says that nothing in the image looks like an open eye.
	ErrNoEye = errors.New("iris: no eye found")
)

// Limits of the images that are read, in pixels.
const (
	MinSide   = 96
	MaxPixels = 16 << 20
)

// Engine extracts templates. It keeps its buffers between calls and is not
// safe for concurrent use: one goroutine, one Engine. Its results share
// nothing with it.
type Engine struct {
	raw    plane    // the image as it is
	hist   [256]int // of raw
	tone   tone
	levels [8]plane // the image in the tones that the chain works on, halved again and again
	seg    segmenter
	sheets [maxReadings]sheet
	lids   lidFinder
	enc    *encoder
	codes  [maxReadings]code
	values [3][]uint8
	also   []*version // earlier engines to extract for
	spare  code
	// evidence is what the last image's score rests on.
	evidence evidence
}

// New returns an engine.
func New() *Engine { return &Engine{enc: newEncoder()} }

// Result is what [Engine.Process] found. With [ErrTooFewBits] everything but
// the template is set.
type Result struct {
	Segmentation Segmentation
	Quality      Quality
	Template     kiosk.Template
	Also         []kiosk.Template // of earlier engines, see [Engine.SetAlso]
}

// Process reads one eye. It returns [ErrTooSmall], [ErrTooLarge], [ErrBlank],
// [ErrNoEye] or [ErrTooFewBits], wrapped. It does not hold the result against
// the quality floor; that is the caller's (see [Quality.Acceptable]).
func (e *Engine) Process(img *image.Gray, eye kiosk.Eye) (Result, error) {
	var r Result
	if !eye.Valid() {
		return r, fmt.Errorf("iris: eye %d is none", eye)
	}
	work, err := e.pyramid(img)
	if err != nil {
		return r, err
	}
	h, ok := e.seg.run(&e.levels[work])
	if !ok {
		return r, ErrNoEye
	}
	s := &e.sheets[0]
	e.unroll(s, &h, work)
	scale := float64(int(1) << work)
	r.Segmentation.Pupil, r.Segmentation.Limbus = h.pupil.scaled(scale), h.limbus.scaled(scale)
	r.Segmentation.mark(s)
	e.enc.run(s, &e.codes[0])
	r.Quality = e.assess(&h, s, work)
	if b := ones(e.codes[0].mask[:]); b < minCodeBits {
		return r, fmt.Errorf("%w: %d of %d", ErrTooFewBits, b, codeBits)
	}
	r.Template = encodeTemplate(EngineVersion, eye, e.codes[:1])
	r.Also = e.earlier(s, eye)
	return r, nil
}

// unroll fills s from the level whose pixels suit the sheet's resolution.
func (e *Engine) unroll(s *sheet, h *hypothesis, work int) {
	tex := 0
	for tex < work && (h.limbus.Radius()-h.pupil.Radius())*float64(int(1)<<(work-tex)) > 2*sheetH {
		tex++
	}
	k := float64(int(1) << (work - tex))
	p, l := h.pupil.scaled(k), h.limbus.scaled(k)
	s.unroll(&e.levels[tex], &p, &l, &e.seg.high.mask, float32(1/k))
	e.lids.run(s)
}

// workSide is the largest shorter side of the plane that is segmented.
const workSide = 330

// pyramid fills the levels and returns the index of the working one.
func (e *Engine) pyramid(img *image.Gray) (int, error) {
	if img == nil {
		return 0, fmt.Errorf("%w: no image", ErrTooSmall)
	}
	b := img.Bounds()
	w, h := b.Dx(), b.Dy()
	if w < MinSide || h < MinSide {
		return 0, fmt.Errorf("%w: %d×%d, at least %d a side is needed", ErrTooSmall, w, h, MinSide)
	}
	if w > MaxPixels/h {
		return 0, fmt.Errorf("%w: %d×%d, at most %d pixels are read", ErrTooLarge, w, h, MaxPixels)
	}
	if last := img.PixOffset(b.Max.X-1, b.Max.Y-1); img.Stride < w || last >= len(img.Pix) {
		return 0, fmt.Errorf("%w: %d bytes of pixels for %d×%d", ErrTooSmall, len(img.Pix), w, h)
	}
	e.raw.fromGray(img)
	e.hist = e.raw.histogram()
	if percentile(&e.hist, 0.99)-percentile(&e.hist, 0.01) < 16 {
		return 0, ErrBlank
	}
	e.tone.stretch(percentile(&e.hist, 0.005), percentile(&e.hist, 0.995))
	e.levels[0].map8(&e.raw, &e.tone)
	k := 0
	for min(e.levels[k].w, e.levels[k].h) > workSide && k < len(e.levels)-1 {
		e.levels[k+1].halve(&e.levels[k])
		k++
	}
	return k, nil
}
