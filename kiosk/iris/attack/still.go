package attack

import (
	"math"
	"time"

	"tambo/kiosk"
	"tambo/kiosk/iris"
)

// Pupil is the size of a pupil at a moment.
type Pupil struct {
	At    time.Time
	Ratio float64 // pupil's radius over the iris's
}

// PupilOf is what a frame tells.
func PupilOf(at time.Time, seg *iris.Segmentation) Pupil {
	return Pupil{at, seg.Pupil.Radius() / max(seg.Limbus.Radius(), 1)}
}

// Least that a burst must hold for its pupil to be judged.
const (
	StillFrames = 12
	StillSpan   = 1500 * time.Millisecond
)

// restless is the least slow movement of a pupil over a burst, as a share of its
// size, that counts as alive: hippus moves a pupil by a few per cent.
const restless = 0.006

// Still scores a pupil that does not move over a burst of good frames of one
// eye. A live pupil is never at rest; a picture's is, but for what the engine
// mistakes from frame to frame. So the movement is what neighbouring frames
// agree on: the spread of the ratio after every three in a row are averaged, less
// what their own disagreement explains. The score is the least movement of the
// living over it, at most 10. It reports false where the burst is too short.
func Still(burst []Pupil) (kiosk.AttackSignal, bool) {
	if len(burst) < StillFrames || burst[len(burst)-1].At.Sub(burst[0].At) < StillSpan {
		return kiosk.AttackSignal{}, false
	}
	var mean float64
	for _, p := range burst {
		mean += p.Ratio / float64(len(burst))
	}
	if !(mean > 0) {
		return kiosk.AttackSignal{}, false
	}
	// noise of one frame: second differences, in which slow movement cancels
	var noise float64
	for i := 2; i < len(burst); i++ {
		d := burst[i].Ratio - 2*burst[i-1].Ratio + burst[i-2].Ratio
		noise += d * d / 6 / float64(len(burst)-2)
	}
	var smooth, square float64
	n := float64(len(burst) - 2)
	for i := 2; i < len(burst); i++ {
		s := (burst[i].Ratio+burst[i-1].Ratio+burst[i-2].Ratio)/3 - mean
		smooth += s / n
		square += s * s / n
	}
	moved := math.Sqrt(max(0, square-smooth*smooth-noise/3)) / mean
	return signal(kiosk.AttackStill, min(10, restless/max(moved, 1e-9)), StillLimit), true
}
