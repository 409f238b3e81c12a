package eye

import (
	"image"
	"math"
	"math/rand/v2"
	"testing"

	"tambo/kiosk"
)

func TestSomeRandomConditionsAreUseless(t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 1))
	const n = 4000
	blink, blur, away, outside := 0, 0, 0, 0
	for range n {
		c := RandomConditions(rng)
		switch {
		case c.UpperLid < 0.4:
			blink++
		case c.Defocus > 5 || math.Hypot(c.MotionX, c.MotionY) > 15:
			blur++
		case math.Hypot(c.GazeX, c.GazeY) > 25:
			away++
		case math.Abs(c.OffsetX) > 200:
			outside++
		}
		if c != c.bounded() {
			t.Fatalf("conditions out of their own range: %+v", c)
		}
	}
	bad := float64(blink+blur+away+outside) / n
	t.Logf("of %d captures %.1f %% are useless: %d blinks, %d blurred, %d looking away, %d half out of the picture", n, 100*bad, blink, blur, away, outside)
	if bad < 0.07 || bad > 0.11 || blink == 0 || blur == 0 || away == 0 || outside == 0 {
		t.Errorf("%.1f %% are useless, want 7 to 11, of every kind", 100*bad)
	}
}

// A drawing is made of any values, also those that make no sense.
func FuzzDraw(f *testing.F) {
	f.Add(uint64(1), uint8(1), 235.0, 0.4, 0.0, 0.0, 1.0, 1.0, 1.0, 160, 120)
	f.Add(uint64(2), uint8(2), math.Inf(1), math.NaN(), 1e300, -1e300, -5.0, 99.0, math.Inf(-1), 0, 3)
	f.Add(uint64(3), uint8(7), 60.0, 0.8, 40.0, 40.0, 1.4, 0.0, 15.0, 31, 77)
	people := [4]Person{NewPerson(0), NewPerson(1), NewPerson(2), NewVolunteer(3)}
	f.Fuzz(func(t *testing.T, seed uint64, side uint8, diameter, pupil, gazeX, gazeY, lid, lashes, blur float64, w, h int) {
		c := Conditions{Seed: seed, IrisDiameter: diameter, Pupil: pupil, GazeX: gazeX, GazeY: gazeY, Roll: gazeX + gazeY, Torsion: gazeY,
			UpperLid: lid, LowerLid: lid / 2, Lashes: lashes, Speculars: int(side), SpecularSize: blur, Reflection: blur, Shadow: lid, Uneven: pupil, Film: lashes, Glasses: seed&1 == 1,
			Defocus: blur, MotionX: gazeX, MotionY: -gazeY, Noise: blur, Illumination: lid, OffsetX: diameter, OffsetY: -diameter}
		w, h = min(w, 320), min(h, 320)
		p := people[seed%4]
		img := Draw(p, kiosk.Eye(side), c, w, h)
		truth := TruthOf(p, kiosk.Eye(side), c, w, h)
		fw, fh := frameSize(w, h)
		if img.Rect != image.Rect(0, 0, fw, fh) || truth.Mask.Rect != img.Rect {
			t.Fatalf("drew %v and masked %v, want %d × %d", img.Rect, truth.Mask.Rect, fw, fh)
		}
		if !(truth.Iris.A >= truth.Iris.B) || !(truth.Iris.B > 0) || !(truth.Pupil.A < truth.Iris.A) {
			t.Fatalf("outlines make no sense: %+v %+v", truth.Pupil, truth.Iris)
		}
	})
}

// What was drawn yesterday is drawn tomorrow: training material and the tests
// of other packages rest on it. Means of blocks, so that processors may differ
// in the last bit of a float.
func TestDrawingsStayTheSame(t *testing.T) {
	same(t, "a person", Draw(NewPerson(42), kiosk.EyeLeft, Ordinary(), 0, 0), golden)
	c := StudyConditions(NewVolunteer(42), kiosk.EyeLeft, rand.New(rand.NewPCG(42, 42)))
	same(t, "a volunteer", Draw(NewVolunteer(42), kiosk.EyeLeft, c, 0, 0), goldenVolunteer)
}

func same(t *testing.T, what string, img *image.Gray, golden []int) {
	t.Helper()
	got := make([]int, 0, 48)
	for by := range 6 {
		for bx := range 8 {
			sum := 0
			for y := by * 80; y < by*80+80; y++ {
				for x := bx * 80; x < bx*80+80; x++ {
					sum += int(img.Pix[y*img.Stride+x])
				}
			}
			got = append(got, (sum+3200)/6400)
		}
	}
	if len(golden) != len(got) {
		t.Fatalf("%#v", got)
	}
	for i, w := range golden {
		if d := got[i] - w; d < -1 || d > 1 {
			t.Fatalf("block means of %s changed:\n%#v\nwant\n%#v", what, got, golden)
		}
	}
}

var golden = []int{185, 184, 182, 177, 176, 177, 181, 182, 191, 188, 164, 145, 140, 158, 177, 187, 189, 144, 141, 94, 98, 145, 138, 168, 174, 148, 148, 91, 94, 149, 153, 172, 197, 187, 171, 152, 152, 173, 187, 198, 201, 206, 208, 207, 208, 208, 204, 201}

func BenchmarkFrame(b *testing.B) {
	s := NewScene(NewPerson(1), 1)
	s.Frame(kiosk.EyeRight, 0, 1)
	for b.Loop() {
		s.Frame(kiosk.EyeRight, 0, 1)
	}
}

func BenchmarkNewEye(b *testing.B) {
	for b.Loop() {
		newAnatomy(1, kiosk.EyeRight, false)
	}
}

var goldenVolunteer = []int{70, 68, 61, 55, 62, 69, 82, 100, 82, 90, 69, 61, 47, 66, 60, 62, 99, 95, 81, 49, 40, 55, 78, 96, 100, 102, 75, 58, 44, 69, 85, 103, 94, 101, 95, 79, 72, 77, 99, 99, 97, 99, 103, 100, 102, 102, 100, 100}
