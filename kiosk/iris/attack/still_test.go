package attack_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"tambo/kiosk"
	"tambo/kiosk/iris"
	"tambo/kiosk/iris/attack"
	"tambo/kiosk/specimen/eye"
)

const (
	frames = 30
	every  = 100 * time.Millisecond
)

// burst is what an engine that errs by noise (of the ratio) makes of a scene;
// of a picture of its first frame if held.
func burst(visit uint64, noise float64, held bool) (out []attack.Pupil) {
	s := eye.NewScene(eye.NewPerson(400+visit%50), visit)
	r := rand.New(rand.NewPCG(visit, 17))
	first := s.At(kiosk.EyeRight, 0, 1).Pupil
	for i := range frames {
		at := time.Duration(i) * every
		p := s.At(kiosk.EyeRight, at, 1).Pupil
		if held {
			p = first
		}
		out = append(out, attack.Pupil{At: time.Unix(0, 0).Add(at), Ratio: p + noise*r.NormFloat64()})
	}
	return out
}

// The errors of the pupil's movement on generated bursts of three seconds.
func TestErrorsOfStillPupils(t *testing.T) {
	const n = 2000
	for _, noise := range []float64{0.001, 0.002, 0.004} {
		var dead, alive []float64
		for v := range uint64(n) {
			for _, held := range []bool{true, false} {
				s, ok := attack.Still(burst(v, noise, held))
				if !ok {
					t.Fatal("not judged")
				}
				if held {
					dead = append(dead, s.Score)
				} else {
					alive = append(alive, s.Score)
				}
			}
		}
		apcer := 1 - float64(beyond(dead, attack.StillLimit))/n
		bpcer := float64(beyond(alive, attack.StillLimit)) / n
		t.Logf("engine's error %.3f of the iris: APCER %.1f %%, BPCER %.1f %% of %d bursts each; scores of pictures %.2f, of live pupils %.2f",
			noise, 100*apcer, 100*bpcer, n, quantiles(dead), quantiles(alive))
		if bpcer > 0.01 || noise < 0.002 && apcer > 0.1 {
			t.Errorf("noise %.3f: APCER %.3f, BPCER %.3f", noise, apcer, bpcer)
		}
	}
}

// The same through the engine: a person, and a picture of that person held into
// the camera by a hand that is not quite still.
func TestStillThroughTheEngine(t *testing.T) {
	if testing.Short() {
		t.Skip("a hundred extractions")
	}
	e := iris.New()
	for _, held := range []bool{false, true} {
		s := eye.NewScene(eye.NewPerson(7), 3)
		r := rand.New(rand.NewPCG(3, 3))
		picture := s.At(kiosk.EyeRight, 0, 1)
		var out []attack.Pupil
		for i := range frames {
			at := time.Duration(i) * every
			c := s.At(kiosk.EyeRight, at, 1)
			if held {
				c = picture
				c.OffsetX += 3 * r.NormFloat64()
				c.OffsetY += 3 * r.NormFloat64()
				c.IrisDiameter *= 1 + 0.004*r.NormFloat64()
				c.Seed = uint64(i)
			}
			f, err := e.Process(eye.Draw(eye.NewPerson(7), kiosk.EyeRight, c, 0, 0), kiosk.EyeRight)
			if err != nil || f.Quality.Score < 50 {
				continue
			}
			out = append(out, attack.PupilOf(time.Unix(0, 0).Add(at), &f.Segmentation))
		}
		sig, ok := attack.Still(out)
		t.Logf("held %v: %d frames, score %.2f", held, len(out), sig.Score)
		if !ok || sig.Strong != held {
			t.Errorf("held %v: %+v, judged %v, of %d frames", held, sig, ok, len(out))
		}
	}
}

func TestStillNeedsABurst(t *testing.T) {
	b := burst(1, 0.001, false)
	for name, v := range map[string][]attack.Pupil{"none": nil, "few": b[:5], "short": make([]attack.Pupil, 40)} {
		if s, ok := attack.Still(v); ok {
			t.Errorf("%s: judged %+v", name, s)
		}
	}
}

// Whatever a segmentation says, an answer or none comes, and no panic.
func TestExamineOfAnything(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 9))
	img := eye.Draw(eye.NewPerson(1), kiosk.EyeRight, eye.Ordinary(), 0, 0)
	for range 200 {
		var s iris.Segmentation
		s.Pupil.Center = iris.Point{X: r.NormFloat64() * 900, Y: r.NormFloat64() * 900}
		s.Limbus.Center = iris.Point{X: r.NormFloat64() * 900, Y: r.NormFloat64() * 900}
		for i := range s.Open {
			s.Pupil.Radii[i], s.Limbus.Radii[i], s.Open[i] = 60*r.Float32(), 400*r.Float32(), 2*r.Float32()
		}
		attack.Examine(img, &s)
	}
	if s := attack.Examine(nil, nil); s != nil {
		t.Errorf("%+v", s)
	}
}
