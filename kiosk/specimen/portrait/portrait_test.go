package portrait

import (
	"bytes"
	"image"
	"math"
	"testing"
	"time"
)

func unlike(a, b *image.RGBA) float64 {
	sum := 0.0
	for i := range a.Pix {
		sum += math.Abs(float64(a.Pix[i]) - float64(b.Pix[i]))
	}
	return sum / float64(len(a.Pix))
}

func TestSamePersonSamePicture(t *testing.T) {
	c := Good()
	one, again := Draw(NewPerson(4), 320, 240, c), Draw(NewPerson(4), 320, 240, c)
	if !bytes.Equal(one.Pix, again.Pix) {
		t.Error("the same person and conditions give two pictures")
	}
	for other := range uint64(4) {
		if d := unlike(one, Draw(NewPerson(other), 320, 240, c)); d < 1 {
			t.Errorf("person %d looks like person 4 (%.2f grey levels)", other, d)
		}
	}
	if d := unlike(one, Draw(NewPerson(4).Aged(10), 320, 240, c)); d < 0.5 {
		t.Errorf("a child looks like the adult (%.2f)", d)
	}
}

// TestEyesAreWhereItSays: a pupil is the darkest thing about the place that
// Where names.
func TestEyesAreWhereItSays(t *testing.T) {
	for seed := range uint64(12) {
		c := Good()
		c.Noise, c.Roll, c.Yaw = 0, float64(seed)-6, float64(seed%5)*3-6
		img := Draw(NewPerson(seed), 640, 480, c)
		e := Where(NewPerson(seed), 640, 480, c)
		for _, p := range [][2]float64{{e.Right.X, e.Right.Y}, {e.Left.X, e.Left.Y}} {
			dark := 255
			for y := -6; y <= 6; y++ {
				for x := -6; x <= 6; x++ {
					q := img.RGBAAt(int(p[0])+x, int(p[1])+y)
					dark = min(dark, (int(q.R)+int(q.G)+int(q.B))/3)
				}
			}
			if dark > 40 {
				t.Errorf("person %d: nothing darker than %d at %.0f", seed, dark, p)
			}
		}
		if e.Right.X >= e.Left.X {
			t.Errorf("person %d: their right eye is at the right of the picture", seed)
		}
	}
}

func TestSceneMovesAndBlinks(t *testing.T) {
	s := NewScene(NewPerson(5), 1, Good())
	a, b := s.Frame(0, 320, 240), s.Frame(1500*time.Millisecond, 320, 240)
	if d := unlike(a, b); d < 0.2 || d > 12 {
		t.Errorf("in a second and a half the picture changed by %.2f grey levels", d)
	}
	shut := 0
	for i := range 600 {
		if s.At(time.Duration(i) * 33 * time.Millisecond).Shut {
			shut++
		}
	}
	if shut < 10 || shut > 60 {
		t.Errorf("eyes shut in %d of 600 frames", shut)
	}
	if d := unlike(a, NewScene(NewPerson(5), 2, Good()).Frame(0, 320, 240)); d < 0.2 {
		t.Error("another visit looks the same to the pixel")
	}
}

func TestMoods(t *testing.T) {
	good := Draw(NewPerson(3), 320, 240, Good())
	for _, m := range Moods[1:] {
		c, err := Mood(m)
		if err != nil {
			t.Fatal(err)
		}
		if d := unlike(good, NewScene(NewPerson(3), 1, c).Frame(time.Second, 320, 240)); d < 1 {
			t.Errorf("%s looks like good (%.2f)", m, d)
		}
	}
	if _, err := Mood("merry"); err == nil {
		t.Error("an unknown mood was accepted")
	}
}

// TestLightKeepsColour: no mood may overflow into false colours, as a wrong sum
// in the blur once did.
func TestLightKeepsColour(t *testing.T) {
	for _, m := range Moods {
		c, _ := Mood(m)
		img := NewScene(NewPerson(3), 1, c).Frame(0, 640, 480)
		for x := 0; x < 640; x += 7 { // along the wall, above everybody's head
			if q := img.RGBAAt(x, 3); m != "near" && (int(q.B)-int(q.R) > 40 || int(q.R)-int(q.B) > 40) {
				t.Fatalf("%s: the wall is %v at %d", m, q, x)
			}
		}
	}
}

func BenchmarkFrame720(b *testing.B) {
	s := NewScene(NewPerson(3), 1, Good())
	for i := 0; b.Loop(); i++ {
		s.Frame(time.Duration(i)*66*time.Millisecond, 1280, 720)
	}
}
