// Package face looks at a colour frame and says whether there is a face in it
// that makes a good photo: where, how large, centred, level, facing the camera,
// bright enough, evenly lit, sharp, alone. It cuts the photo's portrait out of
// the frame. It is framing guidance for an officer, and nothing more.
//
// What it never does: it compares no face with another, makes no template,
// guesses no age, sex or identity, and decides nothing. An officer may always take
// the photo by hand, whatever is said here.
//
// How it finds a face: by what is known of every face seen from the front, not
// by weights learned from pictures. Dark spots of an eye's size are paired; the
// place round each pair is brought to one size and level, freed of a slope of
// light, and compared with a model of eleven soft spots (forehead, brows, eyes,
// ridge, cheeks, nostrils, mouth, chin), with its own mirror image, and by the ratios
// between regions that hold in any light (the eyes darker than what surrounds
// them). The colour of skin helps and is not required: only that red outweighs
// blue, which holds for every skin; how light a skin is counts for nothing.
//
// What it cannot do: find a face in profile, upside down, leaning more than 25
// degrees, smaller than a fifth of the frame's height, or with the eyes covered;
// be sure of one behind heavy glasses or among other faces; it takes a good drawing or a photograph of a
// face for a face; it does not measure nodding (pitch), expression, or what
// covers the mouth. Turning aside (yaw) is estimated from symmetry, which strong
// light from one side disturbs; that light is reported too. Shut eyes are measured
// only to choose the better of two frames.
//
// Geometry follows the full frontal image of ISO/IEC 19794-5:2011 and ICAO Doc
// 9303-3 (head 70 to 80 % of the photo's height, at least 60 pixels between the
// eyes, 90 to be good, head upright within 5 degrees). Quality components are named
// after ISO/IEC 29794-5 where they measure the same thing; they are our own
// measures and not a conforming implementation of it.
//
// It is pure: no I/O, no clock, bounded memory.
package face

import (
	"image"
	"math"
)

// Guidance is the one thing to ask of the person now. It is a code: a window
// has a sentence for each.
type Guidance string

// Guidance, in the order in which it is given: what must be put right first.
const (
	GuidanceLookHere  Guidance = "face-here"     // no face is seen
	GuidanceOnePerson Guidance = "face-one"      // more than one face
	GuidanceCloser    Guidance = "face-closer"   //
	GuidanceFurther   Guidance = "face-further"  //
	GuidanceCentre    Guidance = "face-centre"   // the photo would not be whole
	GuidanceLight     Guidance = "face-light"    // too dark
	GuidanceGlare     Guidance = "face-glare"    // too bright
	GuidanceEven      Guidance = "face-even"     // lit from one side
	GuidanceStraight  Guidance = "face-straight" // turned aside
	GuidanceLevel     Guidance = "face-level"    // the head leans
	GuidanceSharp     Guidance = "face-sharp"    // out of focus, or moving
	GuidanceHoldStill Guidance = "face-still"    // all is well: stay so
)

// Point is a place in a frame, in pixels.
type Point struct{ X, Y float64 }

// Look is what was found in one frame. Lengths are in the frame's pixels.
type Look struct {
	Present bool
	// Right and Left are the person's own eyes: Right is at the left of the
	// picture.
	Right, Left Point
	// Head is the box round the head, from crown to chin and ear to ear, as
	// far as it follows from the eyes; it may reach beyond the frame.
	Head   image.Rectangle
	Roll   float64 // degrees, positive: the head leans to the picture's right
	Yaw    float64 // degrees to either side, an estimate
	Others int     // further faces
	// Likeness is how much it is like a face, 0 to 1.
	Likeness float64
	// Opening of the eyes, 0 to 1: to choose between two frames.
	Opening float64
	Quality Quality
	// Guidance is what to ask for: of the worst component, or to hold still.
	Guidance Guidance
}

// Quality is how well a face is framed and lit: components from 0 to 100, 60
// where a good photo begins, 100 where more would not help.
type Quality struct {
	SingleFace  float64 // single face present
	EyeDistance float64 // inter-eye distance
	HeadSize    float64 // head size: not too large for the frame
	Margins     float64 // the photo's margins lie within the frame
	Roll        float64 // head pose, leaning
	Yaw         float64 // head pose, turned aside
	Under       float64 // under-exposure prevention
	Over        float64 // over-exposure prevention
	Uniformity  float64 // illumination uniformity
	Sharpness   float64
}

// component is one part of a quality: its name after ISO/IEC 29794-5, and what
// to ask for when it is the worst.
type component struct {
	name  string
	value float64
	ask   Guidance
}

func (q *Quality) components() []component {
	return []component{
		{"single face present", q.SingleFace, GuidanceOnePerson},
		{"inter-eye distance", q.EyeDistance, GuidanceCloser},
		{"head size", q.HeadSize, GuidanceFurther},
		{"crop margins", q.Margins, GuidanceCentre},
		{"under-exposure prevention", q.Under, GuidanceLight},
		{"over-exposure prevention", q.Over, GuidanceGlare},
		{"illumination uniformity", q.Uniformity, GuidanceEven},
		{"head pose yaw", q.Yaw, GuidanceStraight},
		{"head pose roll", q.Roll, GuidanceLevel},
		{"sharpness", q.Sharpness, GuidanceSharp},
	}
}

// Score is the framing score, 0 to 100: the lowest of the components. A photo
// is as good as what is worst about it.
func (q *Quality) Score() int {
	low := 100.0
	for _, c := range q.components() {
		low = math.Min(low, c.value)
	}
	return int(math.Max(low, 0))
}

// Vector names the components.
func (q *Quality) Vector() map[string]float64 {
	m := map[string]float64{}
	for _, c := range q.components() {
		m[c.name] = math.Round(c.value*10) / 10
	}
	return m
}

// enough is the component value below which something is asked for.
const enough = 60

// ask is the guidance of the first component that is not enough, or else of
// the worst that has room to grow; to hold still when all are well.
func (q *Quality) ask() Guidance {
	for _, c := range q.components() {
		if c.value < enough {
			return c.ask
		}
	}
	return GuidanceHoldStill
}

// Score returns the framing score: 0 where there is no face.
func (l *Look) Score() int {
	if !l.Present {
		return 0
	}
	return l.Quality.Score()
}

// Middle is the place between the eyes.
func (l *Look) Middle() Point {
	return Point{(l.Right.X + l.Left.X) / 2, (l.Right.Y + l.Left.Y) / 2}
}

// EyeDistance is how far apart the eyes are, in pixels.
func (l *Look) EyeDistance() float64 {
	return math.Hypot(l.Left.X-l.Right.X, l.Left.Y-l.Right.Y)
}

// Moved is how far the face of l has moved and grown since another look, in eye
// distances; 1 where either has no face.
func (l *Look) Moved(since *Look) float64 {
	if !l.Present || !since.Present {
		return 1
	}
	d := math.Max(l.EyeDistance(), 1)
	a := math.Hypot(l.Right.X-since.Right.X, l.Right.Y-since.Right.Y)
	b := math.Hypot(l.Left.X-since.Left.X, l.Left.Y-since.Left.Y)
	return math.Max(a, b) / d
}

// Proportions of a head in distances between the eyes: mean adult heads are
// about 3.7 eye distances high and 2.45 wide, with the eyes at half height.
const (
	headHigh = 3.7
	headWide = 2.45
)

// Examine looks for a face in a frame. A frame of another size than 160×120 to
// 4096×4096 pixels has none.
func Examine(img *image.YCbCr) Look {
	w, h := img.Rect.Dx(), img.Rect.Dy()
	if w < 160 || h < 120 || w > 4096 || h > 4096 {
		return Look{Guidance: GuidanceLookHere}
	}
	s := newSearch(img)
	found := s.find()
	if len(found) == 0 {
		return Look{Guidance: GuidanceLookHere}
	}
	best := found[0]
	l := Look{Present: true, Right: s.toFrame(best.right), Left: s.toFrame(best.left), Likeness: best.likeness, Others: len(found) - 1}
	l.Roll = math.Atan2(l.Left.Y-l.Right.Y, l.Left.X-l.Right.X) * 180 / math.Pi
	d, m := l.EyeDistance(), l.Middle()
	sn, cs := math.Sincos(l.Roll * math.Pi / 180)
	// The middle of the head is the middle of the eyes; only its box is upright.
	hx := (headWide*math.Abs(cs) + headHigh*math.Abs(sn)) * d / 2
	hy := (headHigh*math.Abs(cs) + headWide*math.Abs(sn)) * d / 2
	l.Head = image.Rect(int(m.X-hx), int(m.Y-hy), int(m.X+hx), int(m.Y+hy)).Add(img.Rect.Min)
	l.Yaw = s.yaw(best)
	l.measure(img)
	l.Guidance = l.Quality.ask()
	return l
}
