package app

import (
	"fmt"
	"image"
	"image/color"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/image/draw"

	"tambo/devices/virtual"
	"tambo/kiosk/specimen/page"
	"tambo/kiosk/specimen/portrait"
)

// faceScene is what the face camera looks at: the face of the person whose eyes
// are before the iris camera. The control socket changes the mood they sit in.
type faceScene struct {
	dir   string
	names []string            // of people with a picture in the folder, sorted
	files map[string][]string // by person
	made  generated

	mu    sync.Mutex
	name  string
	n     int
	mood  string
	scene *portrait.Scene // drawn people
	still image.Image     // of a folder
	shown *image.RGBA     // still, at the camera's size
	begun bool
	since time.Duration // when the visit began, on the camera's clock
}

var _ virtual.ColourScene = (*faceScene)(nil)

func newFaceScene(dir string, seed uint64) (*faceScene, error) {
	s := &faceScene{dir: dir, made: generated{seed}, mood: "good"}
	if dir == "" {
		return s, nil
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("folder of faces: %w", err)
	}
	s.files = map[string][]string{}
	for _, e := range entries {
		if e.IsDir() || !imageFile(e.Name()) {
			continue
		}
		name, _, _ := strings.Cut(strings.TrimSuffix(e.Name(), filepath.Ext(e.Name())), "_")
		if s.files[name] == nil {
			s.names = append(s.names, name)
		}
		s.files[name] = append(s.files[name], e.Name())
	}
	slices.Sort(s.names)
	if len(s.names) == 0 {
		return nil, fmt.Errorf("folder of faces %s: no files named PERSON*.png|bmp|jpg", dir)
	}
	return s, nil
}

func (s *faceScene) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	from := "drawn faces"
	if s.dir != "" {
		from = fmt.Sprintf("faces of %d people in %s", len(s.names), s.dir)
	}
	return fmt.Sprintf("%s: person %s, visit %d, %s", from, s.name, s.n, s.mood)
}

// sit seats a person for a visit. In a folder of pictures they are found by name
// or number; somebody of whom there is no picture leaves the chair empty.
func (s *faceScene) sit(name string, n int) error {
	s.mu.Lock()
	mood := s.mood
	s.mu.Unlock()
	scene, still, err := s.look(name, n, mood)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.name, s.n, s.scene, s.still, s.shown, s.begun = name, n, scene, still, nil, false
	return nil
}

func (s *faceScene) look(name string, n int, mood string) (*portrait.Scene, image.Image, error) {
	if s.dir == "" {
		c, err := portrait.Mood(mood)
		if err != nil {
			return nil, nil, err
		}
		return portrait.NewScene(s.person(name), uint64(n), c), nil, nil
	}
	who, err := pick(s.names, name)
	if err != nil {
		return nil, nil, nil
	}
	img, err := readImage(filepath.Join(s.dir, s.files[who][(n-1)%len(s.files[who])]))
	return nil, img, err
}

// person is drawn as old as the holder of their page is.
func (s *faceScene) person(name string) portrait.Person {
	n := s.made.number(name)
	p := portrait.NewPerson(n)
	if born, err := time.Parse(time.DateOnly, page.NewHolder(n).Birth); err == nil {
		p = p.Aged(int(time.Since(born).Hours() / 24 / 365.25))
	}
	return p
}

// setMood changes how the person sits; one of portrait.Moods.
func (s *faceScene) setMood(mood string) error {
	if _, err := portrait.Mood(mood); err != nil {
		return err
	}
	s.mu.Lock()
	before := s.mood
	s.mood = mood
	name, n := s.name, s.n
	s.mu.Unlock()
	if err := s.sit(name, n); err != nil {
		s.mu.Lock()
		s.mood = before
		s.mu.Unlock()
		return err
	}
	return nil
}

// Picture implements [virtual.ColourScene].
func (s *faceScene) Picture(shot virtual.Shot) image.Image {
	s.mu.Lock()
	scene, still := s.scene, s.still
	if !s.begun || shot.At < s.since { // a new visit, or a camera plugged in anew
		s.begun, s.since = true, shot.At
	}
	t := shot.At - s.since
	empty := s.mood == "nobody"
	s.mu.Unlock()
	switch {
	case scene != nil:
		return scene.Frame(t, shot.Width, shot.Height)
	case still == nil || empty:
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.shown == nil || s.shown.Rect.Dx() != shot.Width || s.shown.Rect.Dy() != shot.Height {
		s.shown = fill(still, shot.Width, shot.Height)
	}
	return s.shown
}

// fill scales a picture so that it fills w×h, and cuts off what is over at the
// sides, or at the bottom.
func fill(img image.Image, w, h int) *image.RGBA {
	b := img.Bounds()
	k := max(float64(w)/float64(b.Dx()), float64(h)/float64(b.Dy()))
	sw, sh := int(k*float64(b.Dx())+0.5), int(k*float64(b.Dy())+0.5)
	out := image.NewRGBA(image.Rect(0, 0, w, h))
	draw.Draw(out, out.Rect, image.NewUniform(color.Gray{Y: 160}), image.Point{}, draw.Src)
	at := image.Pt((w-sw)/2, 0)
	draw.CatmullRom.Scale(out, image.Rectangle{Min: at, Max: at.Add(image.Pt(sw, sh))}, img, b, draw.Over, nil)
	return out
}

// size reads WIDTHxHEIGHT, even numbers that a face camera may have.
func size(text string) (image.Point, error) {
	ws, hs, ok := strings.Cut(text, "x")
	w, err1 := strconv.Atoi(ws)
	h, err2 := strconv.Atoi(hs)
	if !ok || err1 != nil || err2 != nil || w < 320 || h < 240 || w > 1920 || h > 1440 || w%2+h%2 != 0 {
		return image.Point{}, fmt.Errorf("size %q: want for instance 1280x720, even, 320x240 to 1920x1440", text)
	}
	return image.Pt(w, h), nil
}
