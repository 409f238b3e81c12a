package iris

import "math"

// Calibration. What strangers' irises say for each other was measured on four
// public research sets that differ in camera, resolution and handling (MMU1: 100,000
// pairs; CASIA-IrisV1: 283,000; CASIA-Iris-Interval: 3.5 million; IITD: 2.5 million),
// every pair of different eyes, of IITD without the 300 that are the same people
// under two numbers. Their means lie between -30 and -60 bits, their spreads between
// 55 and 61; one in a hundred says more than 102 to 122 bits, one in a thousand more
// than 175 to 198, one in ten thousand more than 249 to 270, one in a hundred
// thousand more than 280 to 335 (404 on CASIA-IrisV1, 3 pairs): a decade for each 73
// to 78. (For independent bits it would be a few; these are not so independent as
// that.) Between the sets, 10 million pairs, fewer strangers come so near. Beyond
// about 1e-6 this is extrapolation.
const (
	impostorMean  = -50 // of the evidence
	impostorSigma = 57
	tailStart     = 2.77 // spreads above the mean at which the rate is 1e-2
	tailSlope     = 0.74 // decades of false match rate for each further spread
)

// logFMR is −log10 of the probability that two different eyes score h or less.
func logFMR(h float64) float64 {
	return tailFMR((evidenceAt(h)-impostorMean)/impostorSigma, tailStart, tailSlope)
}

// tailFMR is −log10 of the rate of strangers that are z spreads or more nearer
// than their mean: 1e-2 at start, and falling by slope decades a spread beyond.
func tailFMR(z, start, slope float64) float64 {
	switch {
	case z > start:
		return 2 + (z-start)*slope
	case z > 0:
		// from 0.3 (half of all strangers) to 2, convex as measured
		t := z / start
		return 0.3 + 0.75*t + 0.95*t*t
	}
	return 0.3 * max(0, 1+z/2)
}

// LogFMR is [Comparison.LogFMR] of the current engine's score, for those who kept
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
