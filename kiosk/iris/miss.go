package iris

import "math"

// How likely a capture is to be missed when it is compared with good ones of the
// same eye: a logistic function of a weighted sum of signs of a poor capture, all
// of which the chain has at hand.
//
// The weights were fitted on generated volunteers, on no image of a real eye:
// 2,880 captures of 480 eyes, every second spoilt, each held against the others of
// its eye that are not. TestMissWeightsAreFitted (TAMBO_LONG=1) fits them again.

// missSigns is the number of signs.
const missSigns = 7

// signs are the signs; the larger, the worse.
func (e *evidence) signs() [missSigns]float64 {
	return [missSigns]float64{
		e.around.turned,  // the head held aslant: rotation beyond what is compared
		1 - e.coded,      // less of the iris is code
		-e.limbus,        // a faint limbus, or half of it under a lid
		e.spread,         // grey levels in what is taken for iris: lid, lashes, shadow
		100 * e.residual, // an uneven pupil: cut by a lid, or not the pupil
		-e.steep,         // out of focus or moved
		e.shadow,         // a shadow over what is coded
	}
}

// missWeight is what each sign adds to the log odds of a miss, missBase what they
// are without any.
var missWeight = [missSigns]float64{61.2, 1.65, 0.127, 0.0218, 0.94, 6.36, 12.02}

const missBase = 0.77

// miss is the predicted share of comparisons in which the capture is missed.
func (e *evidence) miss() float64 {
	odds := missBase
	for i, s := range e.signs() {
		odds += missWeight[i] * s
	}
	return 1 / (1 + math.Exp(-odds))
}

const (
	// missCost is the share of the score that a sure miss costs: as much as leaves
	// at most one or two in a hundred ordinary captures on the other side of the
	// training agreement's floor.
	missCost = 0.6
	// clearlyTurned is from where on lines around the iris are turned, not crooked.
	clearlyTurned = 0.08
)
