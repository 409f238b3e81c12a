package app

import (
	"fmt"
	"hash/fnv"
	"image"
	"strconv"
	"strings"
	"sync"
	"time"

	"tambo/devices/virtual"
	"tambo/kiosk"
	"tambo/kiosk/specimen/eye"
	"tambo/kiosk/target"
)

// visitor is somebody in front of the camera, for one visit.
type visitor interface {
	// look returns one eye at a time after the visit began. light is 1 where
	// the camera's illumination is right.
	look(e kiosk.Eye, t time.Duration, light float64, w, h int) *image.Gray
}

// people are those who can come.
type people interface {
	// person finds somebody by name or number.
	person(who string) (name string, err error)
	visit(name string, n int) (visitor, error)
	String() string
}

// eyeScene is what the camera looks at; the control socket changes it.
type eyeScene struct {
	from people

	mu    sync.Mutex
	name  string
	n     int
	who   visitor
	blank bool
	model *modelScene // the technician's eye model in place of a person
	begun bool
	since time.Duration // when the visit began, on the camera's clock
}

var _ virtual.EyeScene = (*eyeScene)(nil)

func newEyeScene(dir string, seed uint64) (*eyeScene, error) {
	if dir == "" {
		return &eyeScene{from: generated{seed}}, nil
	}
	f, err := readEyes(dir)
	if err != nil {
		return nil, err
	}
	return &eyeScene{from: f}, nil
}

func (s *eyeScene) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	what := fmt.Sprintf("%s: person %s, visit %d", s.from, s.name, s.n)
	if s.blank {
		what += ", blank"
	}
	if s.model != nil {
		what = "the technician's eye model"
	}
	return what
}

func (s *eyeScene) setPerson(who string) error {
	name, err := s.from.person(who)
	if err != nil {
		return err
	}
	return s.sit(name, 1)
}

// sitting is who sits there, and which visit of theirs it is.
func (s *eyeScene) sitting() (name string, n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.name, s.n
}

func (s *eyeScene) setVisit(n int) error {
	s.mu.Lock()
	name := s.name
	s.mu.Unlock()
	return s.sit(name, n)
}

func (s *eyeScene) sit(name string, n int) error {
	v, err := s.from.visit(name, n)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.name, s.n, s.who, s.begun = name, n, v, false
	return nil
}

func (s *eyeScene) setMode(mode string) error {
	mode, how, _ := strings.Cut(mode, "=")
	blur := 0
	switch {
	case mode == "target" && how == "":
	case mode == "target":
		var err error
		if blur, err = strconv.Atoi(how); err != nil || blur < 0 || blur > 20 {
			return fmt.Errorf("scene target=%s: want how many pixels it is blurred, 0 to 20", how)
		}
	case mode != "blank" && mode != "normal" || how != "":
		return fmt.Errorf("scene %q: blank, normal, target or target=PIXELS", mode)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.blank, s.model = mode == "blank", nil
	if mode == "target" {
		s.model = &modelScene{blur: blur, made: map[modelKey]*image.Gray{}}
	}
	return nil
}

// fullLight is how much light the illumination control's maximum gives, where 1
// is right: the control's middle is right.
const fullLight = 2

// Eyes implements [virtual.EyeScene].
func (s *eyeScene) Eyes(shot virtual.Shot) (left, right *image.Gray) {
	s.mu.Lock()
	who, blank, model := s.who, s.blank, s.model
	if !s.begun || shot.At < s.since { // a new visit, or a camera plugged in anew
		s.begun, s.since = true, shot.At
	}
	t := shot.At - s.since
	s.mu.Unlock()
	if blank || who == nil && model == nil {
		return nil, nil
	}
	light := fullLight * shot.Illumination
	if model != nil {
		return model.look(target.Left, light, shot.Width, shot.Height), model.look(target.Right, light, shot.Width, shot.Height)
	}
	return who.look(kiosk.EyeLeft, t, light, shot.Width, shot.Height), who.look(kiosk.EyeRight, t, light, shot.Width, shot.Height)
}

// generated are people who do not exist.
type generated struct{ seed uint64 }

func (g generated) String() string { return "generated eyes" }

func (g generated) person(who string) (string, error) { return who, nil }

// number makes a seed of a name or number; numbers stand for themselves.
func (g generated) number(name string) uint64 {
	if n, err := strconv.ParseUint(name, 10, 64); err == nil {
		return g.seed + n
	}
	h := fnv.New64a()
	h.Write([]byte(name))
	return g.seed + h.Sum64()
}

func (g generated) visit(name string, n int) (visitor, error) {
	return generatedVisit{eye.NewScene(eye.NewPerson(g.number(name)), uint64(n))}, nil
}

type generatedVisit struct{ scene *eye.Scene }

func (v generatedVisit) look(e kiosk.Eye, t time.Duration, light float64, _, _ int) *image.Gray {
	return v.scene.Frame(e, t, light)
}
