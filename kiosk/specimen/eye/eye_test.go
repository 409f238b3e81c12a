package eye

import (
	"bytes"
	"math"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"tambo/kiosk"
)

func TestSameArgumentsSameBytes(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range 3 {
		c := RandomConditions(rng)
		a := Draw(NewPerson(5), kiosk.EyeLeft, c, 0, 0)
		Draw(NewPerson(uint64(i)), kiosk.EyeRight, Ordinary(), 320, 240) // leaves its traces in the buffers
		var zero Person
		zero.seed = 5
		b := Draw(zero, kiosk.EyeLeft, c, 0, 0)
		if !bytes.Equal(a.Pix, b.Pix) {
			t.Fatalf("two drawings of one capture differ (conditions %d)", i)
		}
	}
}

func TestConcurrentDrawingsAreTheSame(t *testing.T) {
	p, c := NewPerson(6), Ordinary()
	var all [4][]uint8
	var wg sync.WaitGroup
	for i := range all {
		wg.Go(func() {
			Draw(p, kiosk.EyeUnknown, Conditions{}, 100, 90)
			all[i] = Draw(p, kiosk.BothEyes[0], c, 0, 0).Pix
		})
	}
	wg.Wait()
	for i := range all {
		if !bytes.Equal(all[0], all[i]) {
			t.Errorf("drawing %d differs", i)
		}
	}
}

// Identity must survive what varies and must not come from what people share.
func TestTexturesCarryIdentity(t *testing.T) {
	const people, captures = 12, 4
	var codes [2 * people][]irisCode
	for n := range 2 * people {
		p, e := NewPerson(uint64(1000+n/2)), kiosk.BothEyes[n%2]
		rng := rand.New(rand.NewPCG(77, uint64(n)))
		for range captures {
			code, _ := encode(p, e, GoodConditions(rng))
			codes[n] = append(codes[n], code)
		}
	}
	var genuine, impostor, pair stats
	for a := range codes {
		for b := a; b < len(codes); b++ {
			for i := range codes[a] {
				for j := range codes[b] {
					switch {
					case a != b && i == j && a/2 == b/2:
						pair.add(distance(&codes[a][i], &codes[b][j]))
						fallthrough
					case a != b && i == j:
						impostor.add(distance(&codes[a][i], &codes[b][j]))
					case a == b && i < j:
						genuine.add(distance(&codes[a][i], &codes[b][j]))
					}
				}
			}
		}
	}
	t.Logf("Hamming distance of one eye's captures: mean %.3f, deviation %.3f, largest %.3f (%d)", genuine.mean(), genuine.deviation(), genuine.high, genuine.n)
	t.Logf("of different eyes: mean %.3f, deviation %.3f, smallest %.3f (%d); of one person's two eyes: mean %.3f", impostor.mean(), impostor.deviation(), impostor.low, impostor.n, pair.mean())
	if m := genuine.mean(); m < 0.15 || m > 0.35 {
		t.Errorf("one eye's captures lie %.3f apart on average, want .15 to .35", m)
	}
	if m := impostor.mean(); m < 0.45 || m > 0.50 {
		t.Errorf("different eyes lie %.3f apart on average, want .45 to .50", m)
	}
	if math.Abs(pair.mean()-impostor.mean()) > 0.01 {
		t.Errorf("a person's two eyes lie %.3f apart, strangers' %.3f", pair.mean(), impostor.mean())
	}
}

// One iris must not be the other, nor its mirror image.
func TestTheTwoIrisesAreUnrelated(t *testing.T) {
	for seed := range uint64(5) {
		p := NewPerson(seed)
		r, l := p.anatomy(kiosk.EyeRight).iris, p.anatomy(kiosk.EyeLeft).iris
		for shift := range irisAround {
			var a, b stats
			both := 0.0
			y := irisAcross / 2 * (irisAround + 1)
			for x := range irisAround {
				u, v := float64(r[y+x]), float64(l[y+(x+shift)%irisAround])
				a.add(u)
				b.add(v)
				both += u * v
			}
			c := (both/irisAround - a.mean()*b.mean()) / (a.deviation() * b.deviation())
			if c > 0.6 {
				t.Fatalf("person %d: the irises correlate by %.2f when turned by %d", seed, c, shift)
			}
		}
	}
}

func TestRollAndTorsionTurnClockwise(t *testing.T) {
	for _, e := range kiosk.BothEyes {
		c := Ordinary()
		p := NewPerson(8)
		upright, _ := encode(p, e, c)
		c.Torsion = 7
		turned, _ := encode(p, e, c)
		if _, deg := align(&upright, &turned); math.Abs(deg-7) > 1.5 {
			t.Errorf("%v eye: torsion of 7 degrees turned the iris by %.1f", e, deg)
		}
		c.Torsion, c.Roll = 0, 7
		rolled, _ := encode(p, e, c)
		if _, deg := align(&upright, &rolled); math.Abs(deg-7) > 1.5 {
			t.Errorf("%v eye: a roll of 7 degrees turned the iris by %.1f", e, deg)
		}
	}
}

type stats struct {
	n         int
	sum, sq   float64
	low, high float64
}

func (s *stats) add(v float64) {
	if math.IsNaN(v) {
		return
	}
	if s.n == 0 {
		s.low, s.high = v, v
	}
	s.n++
	s.sum += v
	s.sq += v * v
	s.low, s.high = math.Min(s.low, v), math.Max(s.high, v)
}

func (s *stats) mean() float64 { return s.sum / float64(s.n) }
func (s *stats) deviation() float64 {
	return math.Sqrt(math.Max(0, s.sq/float64(s.n)-s.mean()*s.mean()))
}

func TestSceneMovesContinuously(t *testing.T) {
	s := NewScene(NewPerson(3), 1)
	before := s.Frame(kiosk.EyeRight, 0, 1)
	again := NewScene(NewPerson(3), 1).Frame(kiosk.EyeRight, 0, 1)
	if !bytes.Equal(before.Pix, again.Pix) {
		t.Fatal("the same visit begins differently")
	}
	shut, open := 0, 0
	for i := 1; i < 300; i++ {
		at := time.Duration(i) * time.Second / 15
		c := s.At(kiosk.EyeRight, at, 1)
		l := s.At(kiosk.EyeLeft, at, 1)
		if c.GazeX-l.GazeX != s.base[0].GazeX-s.base[1].GazeX {
			t.Fatal("the two eyes look different ways")
		}
		if c.UpperLid < 0.3 {
			shut++
		}
		if c.UpperLid > 0.7 {
			open++
		}
	}
	t.Logf("20 s at 15 fps: lids shut in %d frames, open in %d", shut, open)
	if shut < 5 || open < 240 {
		t.Errorf("lids shut in %d frames and open in %d of 299", shut, open)
	}
}

func TestPupilsFollowTheLightSlowly(t *testing.T) {
	s := NewScene(NewPerson(3), 2)
	bright := s.At(kiosk.EyeRight, time.Second, 1).Pupil
	soon := s.At(kiosk.EyeRight, time.Second+50*time.Millisecond, 0.2).Pupil
	late := s.At(kiosk.EyeRight, 6*time.Second, 0.2).Pupil
	if late < bright+0.04 || soon > bright+0.02 {
		t.Errorf("pupil %.3f, just after dimming %.3f, later %.3f", bright, soon, late)
	}
}
