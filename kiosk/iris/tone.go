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

// spreadDark spreads the dark tones, where pupil and iris lie, at the cost of
// the bright ones: where exposure or the camera's curve leave an iris nearly
// black, its border to the sclera would otherwise outshine that of the pupil.
//
// dark is the grey value that a quarter of the image does not exceed. It is
// lifted to ordinaryDark, as far as a power of leastPower does it; an image that
// is not darker than that stays as it is, since spreading makes more of the
// shades within a pupil. The toe bounds the slope at black, and with it the
// noise of a black pupil.
func (t *tone) spreadDark(dark int) {
	const toe = 0.04
	power := math.Log(ordinaryDark/255.0) / math.Log(float64(min(max(dark, 1), ordinaryDark))/255)
	power = max(power, leastPower)
	zero, one := math.Pow(toe, power), math.Pow(1+toe, power)
	for v := range t {
		t[v] = uint8(255*(math.Pow(float64(v)/255+toe, power)-zero)/(one-zero) + 0.5)
	}
}

const (
	ordinaryDark = 112
	leastPower   = 0.6
)

// map8 writes src's pixels, mapped, into p.
func (p *plane) map8(src *plane, t *tone) {
	p.reset(src.w, src.h)
	for i, v := range src.pix {
		p.pix[i] = t[v]
	}
}
