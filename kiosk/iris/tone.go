package iris

import "math"

// tone is a table of grey values.
type tone [256]uint8

// stretch takes the range lo..hi to all of 0..255, so that no threshold of the
// chain depends on exposure and gain.
func (t *tone) stretch(lo, hi int) {
	for v := range t {
		t[v] = uint8(min(max((v-lo)*255/max(hi-lo, 1), 0), 255))
	}
}

// darkSpread spreads the dark tones, where pupil and iris lie, at the cost of
// the bright ones: where exposure or the camera's curve leave an iris nearly
// black, its border to the sclera would otherwise outshine that of the pupil.
// The toe bounds the slope at black, and with it the noise of a black pupil.
var darkSpread = func() (t tone) {
	const gamma, toe = 0.8, 0.04
	zero, one := math.Pow(toe, gamma), math.Pow(1+toe, gamma)
	for v := range t {
		t[v] = uint8(255*(math.Pow(float64(v)/255+toe, gamma)-zero)/(one-zero) + 0.5)
	}
	return t
}()

// map8 writes src's pixels, mapped, into p.
func (p *plane) map8(src *plane, t *tone) {
	p.reset(src.w, src.h)
	for i, v := range src.pix {
		p.pix[i] = t[v]
	}
}
