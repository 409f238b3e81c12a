package iris

import "math"

// The false match rate of a normalised Hamming distance: impostor distances,
// already the best of all rotations, follow a normal law closely; its
// parameters are set below.
const (
	impostorMean  = 0.455
	impostorSigma = 0.012
)

// logFMR is −log10 of the probability that two different eyes score h or less.
func logFMR(h float64) float64 {
	z := (impostorMean - h) / impostorSigma
	return max(0, -log10NormalTail(z))
}

// log10NormalTail is log10 Q(z) of the standard normal law.
func log10NormalTail(z float64) float64 {
	if z < 30 {
		return math.Log10(0.5 * math.Erfc(z/math.Sqrt2))
	}
	return -(z*z/2 + math.Log(z*math.Sqrt(2*math.Pi))) * math.Log10E
}
