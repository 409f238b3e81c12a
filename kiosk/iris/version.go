package iris

import (
	"math"
	"slices"

	"tambo/kiosk"
)

// Engines before [EngineVersion] that ship, so that templates of their time stay
// searchable. PreviousVersion found iris and lids by other tones and encoded and
// compared as the current one does. FirstVersion masks a quarter of the weakest
// answers of each row instead of 15 %, and compares codes rigidly within ±17°.
// Their templates are made of today's segmentation.
const (
	PreviousVersion = "tambo-iris/1"
	FirstVersion    = "tambo-iris/0"
)

// version is what makes templates of one engine comparable with each other and
// with no others: which answers it masks, how it compares, what its scores mean.
// Versions share segmentation, rubber sheet and the template's layout.
type version struct {
	name    string
	fragile float64 // share of each row's weakest answers that it masks
	compare func(a, b *code) (Comparison, bool)
	// logFMR is −log10 of the rate at which strangers score hd or less.
	logFMR func(hd float64) float64
}

// versions that ship, the current one first.
var versions = []*version{
	{EngineVersion, fragileShare, compareCodes, logFMR},
	{PreviousVersion, fragileShare, compareCodes, logFMR},
	{FirstVersion, 0.25, compareRigid, logFMRRigid},
}

// Versions names the engines whose templates this program makes and compares,
// the current one first.
func Versions() []string {
	out := make([]string, len(versions))
	for i, v := range versions {
		out[i] = v.name
	}
	return out
}

func versionOf(name string) *version {
	for _, v := range versions {
		if v.name == name {
			return v
		}
	}
	return nil
}

// Version is the engine that made d.
func (d *Decoded) Version() string { return d.version.name }

// SetAlso makes [Engine.Process] extract templates of these earlier engines too,
// in [Result.Also], for galleries that still hold such: one of each, however often
// it is named. Names of engines that do not ship, and the current one's, are passed
// over.
func (e *Engine) SetAlso(names ...string) {
	e.also = nil
	for _, n := range names {
		if v := versionOf(n); v != nil && v != versions[0] && !slices.Contains(e.also, v) {
			e.also = append(e.also, v)
		}
	}
}

// earlier encodes s as earlier engines did. One that finds too little of the
// iris gives no template.
func (e *Engine) earlier(s *sheet, eye kiosk.Eye) (out []kiosk.Template) {
	for _, v := range e.also {
		e.enc.fragile = v.fragile
		e.enc.run(s, &e.spare)
		if ones(e.spare.mask[:]) >= minCodeBits {
			out = append(out, encodeTemplate(v.name, eye, []code{e.spare}))
		}
	}
	e.enc.fragile = versions[0].fragile
	return out
}

// The comparison of tambo-iris/0.
const (
	rigidShift = 12   // columns of codeW, ±17°
	rigidNorm  = 6000 // bits at which normalisation changes nothing
)

// compareRigid compares two readings at every rotation, all of the ring at once.
func compareRigid(a, b *code) (Comparison, bool) {
	best := Comparison{HD: math.Inf(1)}
	for sh := -rigidShift; sh <= rigidShift; sh++ {
		var c tally
		fastest.count(&c, a, b, &turnings[sh+maxShift+maxElastic])
		diff, n := c.sum()
		if n < minCompared {
			continue
		}
		raw := float64(diff) / float64(n)
		if h := 0.5 - (0.5-raw)*math.Sqrt(float64(n)/rigidNorm); h < best.HD {
			best = Comparison{HD: h, RawHD: raw, Bits: n, AngleDeg: float64(sh) * 360 / codeW}
		}
	}
	return best, !math.IsInf(best.HD, 1)
}

// Strangers' distances by compareRigid, measured on generated eyes (see
// TestFirstEngineIsCalibrated).
const (
	rigidMean  = 0.455
	rigidSigma = 0.0193
	rigidStart = 2.6
	rigidSlope = 0.95
)

func logFMRRigid(h float64) float64 {
	return tailFMR((rigidMean-h)/rigidSigma, rigidStart, rigidSlope)
}
