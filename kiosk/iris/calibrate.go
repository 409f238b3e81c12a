package iris

import "math"

// Calibration. Strangers' normalised distances were measured on two public
// research sets that differ in camera, resolution and handling (CASIA-IrisV1:
// 283,000 pairs; MMU1: 100,000 pairs), every pair of different eyes, none left
// out. After normalisation by independent bits both have the same mean (0.4145 and
// 0.4128) and spread (0.0117 and 0.0115), and in units of it the same quantiles
// within a quarter of a unit: 2.6 and 2.7 at 1e-2, 3.7 and 3.8 at 1e-3, 4.6 and
// 4.8 at 1e-4. That is a heavier tail than the normal law's, because some irises
// are poorer in structure than others; so the rate is taken to fall exponentially
// beyond 1e-2, at the slope observed between 1e-2 and 1e-4, and not faster. Beyond
// what was measured (about 1e-5) this is extrapolation on the cautious side: under
// binomial statistics it would fall as exp(-z²/2).
const (
	impostorMean  = 0.4145
	impostorSigma = 0.0117
	tailStart     = 2.6  // spreads below the mean at which the rate is 1e-2
	tailSlope     = 0.95 // decades of false match rate for each further spread
)

// logFMR is −log10 of the probability that two different eyes score h or less.
func logFMR(h float64) float64 { return tailFMR((impostorMean - h) / impostorSigma) }

// tailFMR is −log10 of the rate of strangers that lie z spreads or more below
// their mean.
func tailFMR(z float64) float64 {
	switch {
	case z > tailStart:
		return 2 + (z-tailStart)*tailSlope
	case z > 0:
		// from 0.3 (half of all strangers) to 2, convex as measured
		t := z / tailStart
		return 0.3 + 0.75*t + 0.95*t*t
	}
	return 0.3 * max(0, 1+z/2)
}

// LogFMR is [Comparison.LogFMR] of a normalised distance, for those who kept
// only that.
func LogFMR(hd float64) float64 { return logFMR(hd) }

// Fuse combines independent −log10 false match rates, those of a person's two
// eyes, into one by Fisher's method: with x the sum in natural logarithms, the
// rate is e^-x · Σ_{i<k} x^i/i!.
func Fuse(log ...float64) float64 {
	var sum float64
	for _, v := range log {
		sum += v
	}
	x := sum * math.Ln10
	term, total := 1.0, 1.0
	for i := 1; i < len(log); i++ {
		term *= x / float64(i)
		total += term
	}
	return max(0, sum-math.Log10(total))
}
