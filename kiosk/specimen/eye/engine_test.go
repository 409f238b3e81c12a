package eye_test

import (
	"image"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"tambo/kiosk"
	"tambo/kiosk/iris"
	"tambo/kiosk/specimen/eye"
)

// capture is one drawing as the engine saw it.
type capture struct {
	person   int // one number per eye
	template kiosk.Template
}

// The product's engine on random captures: the eyes must be neither too easy
// nor too hard for it, and some captures must be refused.
func TestEngineOnRandomCaptures(t *testing.T) {
	if testing.Short() {
		t.Skip("hundreds of extractions")
	}
	const eyes, captures = 40, 6
	const floor = 60 // of the training agreement
	engine := iris.New()
	var good []capture
	refused, spoilt, rightly := 0, 0, 0
	var overlaps []float64
	for n := range eyes {
		p, e := eye.NewPerson(uint64(31000+n/2)), kiosk.BothEyes[n%2]
		rng := rand.New(rand.NewPCG(2026, uint64(n)))
		for range captures {
			c := eye.RandomConditions(rng)
			bad := useless(c)
			if bad {
				spoilt++
			}
			r, err := engine.Process(eye.Draw(p, e, c, 0, 0), e)
			if err != nil || r.Quality.Score < floor {
				refused++
				if bad {
					rightly++
				}
				continue
			}
			good = append(good, capture{n, r.Template})
			overlaps = append(overlaps, overlap(r.Segmentation, eye.TruthOf(p, e, c, 0, 0).Mask))
		}
	}
	share := float64(refused) / (eyes * captures)
	t.Logf("%d of %d captures refused (%.1f %%): %d of the %d that show no usable iris, %d others",
		refused, eyes*captures, 100*share, rightly, spoilt, refused-rightly)
	if 10*rightly < 7*spoilt || refused-rightly > 3 {
		t.Errorf("%d of %d spoilt captures refused, want 7 of 10, and %d good ones, want 3 at most", rightly, spoilt, refused-rightly)
	}
	if share < 0.03 || share > 0.12 {
		t.Errorf("%.1f %% of captures refused, want 3 to 12", 100*share)
	}
	checkDistances(t, good)

	slices.Sort(overlaps)
	sum := 0.0
	for _, o := range overlaps {
		sum += o
	}
	mean := sum / float64(len(overlaps))
	t.Logf("overlap of segmentation and truth (IoU): mean %.3f, 5th percentile %.3f, least %.3f", mean, overlaps[len(overlaps)/20], overlaps[0])
	if mean < 0.85 {
		t.Errorf("segmentation overlaps the truth by %.3f on average, want .85", mean)
	}
}

// useless reports whether a person would not take these conditions for a
// capture.
func useless(c eye.Conditions) bool {
	return c.UpperLid < 0.3 || c.Defocus > 6 || math.Hypot(c.MotionX, c.MotionY) > 20 ||
		math.Abs(c.GazeX) > 25 || math.Abs(c.OffsetX) > 200
}

func checkDistances(t *testing.T, good []capture) {
	t.Helper()
	var genuine, impostor, genuineN, impostorN average
	for i, a := range good {
		for j, b := range good[:i] {
			same := a.person == b.person
			if !same && (i+j)%7 != 0 { // a sample is enough
				continue
			}
			c, err := iris.Compare(a.template, b.template)
			if err != nil {
				continue
			}
			if same {
				genuine.add(c.RawHD)
				genuineN.add(c.HD)
			} else {
				impostor.add(c.RawHD)
				impostorN.add(c.HD)
			}
		}
	}
	t.Logf("fractional Hamming distance: genuine %.3f (%d pairs), impostor %.3f (%d pairs); as the engine tells it: %.3f and %.3f",
		genuine.mean(), genuine.n, impostor.mean(), impostor.n, genuineN.mean(), impostorN.mean())
	if m := genuine.mean(); m < 0.15 || m > 0.35 {
		t.Errorf("captures of one eye lie %.3f apart on average, want .15 to .35", m)
	}
	if m := impostor.mean(); m < 0.45 || m > 0.50 {
		t.Errorf("different eyes lie %.3f apart on average, want .45 to .50", m)
	}
}

type average struct {
	n   int
	sum float64
}

func (a *average) add(v float64) { a.n++; a.sum += v }
func (a *average) mean() float64 { return a.sum / float64(a.n) }

// overlap is the intersection over union of what the engine takes for iris free
// of lids with the visible iris. Lashes and reflections, which the segmentation
// does not speak of, count against it.
func overlap(s iris.Segmentation, truth *image.Gray) float64 {
	both, either := 0, 0
	// the engine's ring reaches no further from its centre than this
	reach := 1.5 * s.Limbus.Radius()
	for y := range truth.Rect.Dy() {
		for x := range truth.Rect.Dx() {
			fx, fy := float64(x), float64(y)
			is := truth.Pix[y*truth.Stride+x] != 0
			says := math.Abs(fx-s.Limbus.Center.X) < reach && math.Abs(fy-s.Limbus.Center.Y) < reach && inRing(s, fx, fy)
			if is && says {
				both++
			}
			if is || says {
				either++
			}
		}
	}
	return float64(both) / float64(either)
}

// inRing reports whether a pixel lies between the contours, below the lids.
func inRing(s iris.Segmentation, x, y float64) bool {
	dp, ray := along(s.Pupil, x, y)
	dl, _ := along(s.Limbus, x, y)
	if dp < 1 || dl > 1 {
		return false
	}
	// how far along the ray from pupil to limbus
	in := math.Hypot(x-s.Pupil.Center.X, y-s.Pupil.Center.Y) - float64(s.Pupil.Radii[ray])
	out := (1 - dl) * float64(s.Limbus.Radii[ray])
	return in/(in+out) <= float64(s.Open[ray])
}

// along returns the distance from a contour's centre relative to the contour,
// and the ray.
func along(c iris.Contour, x, y float64) (float64, int) {
	dx, dy := x-c.Center.X, y-c.Center.Y
	ray := int(math.Round(math.Atan2(dy, dx)/(2*math.Pi)*iris.ContourPoints)+iris.ContourPoints) % iris.ContourPoints
	return math.Hypot(dx, dy) / float64(c.Radii[ray]), ray
}
