package eye

import (
	"image"
	"sync"

	"tambo/kiosk"
)

// Draw returns the eye of a person under conditions as a near-infrared image,
// 8 bits, 0 black. The image is not mirrored: the nose is to the right of a
// right eye. width and height of 0 or less mean [DefaultWidth] and
// [DefaultHeight]; sides beyond 4096 are cut to it. The same arguments draw the
// same bytes on one machine; between processor families single grey levels may
// differ where floating point does.
func Draw(p Person, e kiosk.Eye, c Conditions, width, height int) *image.Gray {
	width, height = frameSize(width, height)
	s := studios.Get().(*studio)
	defer studios.Put(s)
	s.view.set(p.anatomy(e), e, c, width, height)
	s.paint()
	return s.expose()
}

func frameSize(w, h int) (int, int) {
	if w <= 0 {
		w = DefaultWidth
	}
	if h <= 0 {
		h = DefaultHeight
	}
	return min(w, 4096), min(h, 4096)
}

// studio holds the buffers of one drawing, which are used again.
type studio struct {
	view     view
	light    []float32 // light on the sensor, grey levels, may exceed 255
	spare    []float32
	sums     []float32
	lashes   coverage
	shades   shadeTables
	limbus   [limbusSteps + 1]float32
	eyeball  [eyeballSteps + 1]float32
	vignette []float32
	dim      []float32 // by how much lashes and lid dim the light on the eye; empty for not at all
	dimSpare []float32
}

var studios = sync.Pool{New: func() any {
	s := &studio{}
	s.shades.fill()
	return s
}}

// Tables indexed by distance from a lid's margin.
const (
	shadeSteps = 256
	shadePerIR = 256 // so they reach one iris radius
)

type shadeTables struct {
	eyeUpper, eyeLower   [shadeSteps + 1]float32 // factors on the eyeball
	eyeWet               [shadeSteps + 1]float32 // added: the tear film along the lower lid
	skinUpper, skinLower [shadeSteps + 1]float32 // factors on the skin
}

func (t *shadeTables) fill() {
	for i := range t.eyeUpper {
		d := float32(i) / shadePerIR
		t.eyeUpper[i] = 0.62 + 0.20*step(0, 0.10, d) + 0.18*step(0.03, 0.55, d)
		t.eyeLower[i] = 0.80 + 0.13*step(0, 0.05, d) + 0.07*step(0.02, 0.4, d)
		w := (d - 0.028) / 0.03
		t.eyeWet[i] = 22 * bump(w*w)
		t.skinUpper[i] = 0.62 + 0.30*step(0.0, 0.06, d) + 0.08*step(0.03, 0.2, d)
		l := (d - 0.105) / 0.04
		t.skinLower[i] = 0.93 + 0.05*bump((d-0.05)*(d-0.05)/(0.045*0.045)) - 0.06*bump(l*l) + 0.07*step(0.1, 0.4, d)
	}
}

const (
	limbusSteps  = 512
	limbusFrom   = 0.6 // of the squared distance from the iris centre
	limbusTo     = 1.5
	eyeballSteps = 512
	eyeballTo    = 16 // squared distance from the middle of the eye
)

// prepare fills the tables that depend on the capture.
func (s *studio) prepare() {
	v := &s.view
	n := v.w * v.h
	if cap(s.light) < n {
		s.light, s.spare = make([]float32, n), make([]float32, n)
	}
	s.light, s.spare = s.light[:n], s.spare[:n]
	half := v.a.limbusWidth
	for i := range s.limbus {
		d := sqrt(limbusFrom + (limbusTo-limbusFrom)*float32(i)/limbusSteps)
		s.limbus[i] = 1 - step(1-half, 1+half, d)
	}
	for i := range s.eyeball {
		d2 := eyeballTo * float32(i) / eyeballSteps
		facing := sqrt(max(0, 1-d2/(2.75*2.75)))
		s.eyeball[i] = v.a.scleraGrey * (0.66 + 0.34*facing)
	}
	s.vignette = s.vignette[:0]
	for x := range v.w {
		d := (float32(x) - float32(v.w)/2) / float32(v.w)
		s.vignette = append(s.vignette, 1-0.34*d*d)
	}
	s.lashes.reset(v.w, v.h)
	v.drawLashes(&s.lashes)
	s.castShadow()
}

// paint makes the light that the lens sees, before blur.
func (s *studio) paint() {
	s.prepare()
	v := &s.view
	for y := range v.h {
		s.paintRow(y)
	}
	s.paintSpots(false)
	for y := s.lashes.top; y < s.lashes.bottom; y++ {
		cov, row := s.lashes.v[y*v.w:(y+1)*v.w], s.light[y*v.w:(y+1)*v.w]
		for x, c := range cov {
			if c > 0 {
				row[x] += (v.a.lash.grey - row[x]) * float32(c) * (1.0 / 255)
			}
		}
	}
	if v.c.Glasses {
		s.paintFrame()
	}
	s.paintSpots(true)
}

// paintRow draws skin and eyeball of one line of the image.
func (s *studio) paintRow(y int) {
	v := &s.view
	row := s.light[y*v.w : (y+1)*v.w]
	p := v.toEye(point{0, float32(y)})
	stepX, stepY := v.flip*v.cosR/v.r, -v.sinR/v.r
	dy := (float32(y) - float32(v.h)/2) / float32(v.w)
	down := 1 - 0.34*dy*dy
	slopeX, slopeTurn := v.slope[0], v.slope[1]
	for x := range row {
		ex, ey := p.x+float32(x)*stepX, p.y+float32(x)*stepY
		f := (ex + spanX) * columnsPerIR
		f = min(max(f, 0), lidColumns-0.01)
		i := int(f)
		f -= float32(i)
		up := v.lids.upper[i] + (v.lids.upper[i+1]-v.lids.upper[i])*f
		low := v.lids.lower[i] + (v.lids.lower[i+1]-v.lids.lower[i])*f
		above := (ey - up) * v.lids.upperSlant[i] // depth inside the opening
		below := (low - ey) * v.lids.lowerSlant[i]
		open := min(above, below)*v.r + 0.5
		var light float32
		if open < 1 {
			light = s.skin(ex, ey, i, above, below)
		}
		if open > 0 {
			ball := s.ball(ex, ey)
			ball *= s.shades.eyeUpper[shadeAt(above)] * s.shades.eyeLower[shadeAt(below)]
			if len(s.dim) > 0 {
				ball *= s.dim[y*v.w+x]
			}
			ball += s.shades.eyeWet[shadeAt(below)]
			light += (ball - light) * min(open, 1)
		}
		row[x] = light * down * s.vignette[x] * (1 + slopeX*(ex-ey*slopeTurn))
	}
}

func shadeAt(d float32) int {
	return int(min(max(d*shadePerIR, 0), shadeSteps))
}

// skin reads the plate, stretched as the lid at that column is.
func (s *studio) skin(ex, ey float32, column int, above, below float32) float32 {
	v := &s.view
	var py, shade float32
	if above < 0 {
		py = (ey + spanY) * v.lids.upperSkin[column]
		shade = s.shades.skinUpper[shadeAt(-above)]
	} else {
		py = 2*spanY - (spanY-ey)*v.lids.lowerSkin[column]
		shade = s.shades.skinLower[shadeAt(-below)]
	}
	x, y := (ex+spanX)*platePerIR, py*platePerIR
	if x < 0 || y < 0 || x > plateW-1.01 || y > plateH-1.01 {
		x, y = within(x, plateW-1.01), within(y, plateH-1.01) // beyond its edge the plate is mirrored
	}
	ix, iy := int(x), int(y)
	fx, fy := x-float32(ix), y-float32(iy)
	n := iy*plateW + ix
	a := v.a.skin[n : n+2 : n+2]
	b := v.a.skin[n+plateW : n+plateW+2 : n+plateW+2]
	top := float32(a[0]) + (float32(a[1])-float32(a[0]))*fx
	bot := float32(b[0]) + (float32(b[1])-float32(b[0]))*fx
	return (top + (bot-top)*fy) * (1 + (shade-1)*v.lids.fade[column])
}

// within folds x into [0, end] at its ends.
func within(x, end float32) float32 {
	x = abs(x)
	if x > end {
		x = 2*end - x
	}
	return min(max(x, 0), end)
}

// ball is the light of the eyeball at a place between the lids.
func (s *studio) ball(ex, ey float32) float32 {
	v := &s.view
	x, y := v.toIris(point{ex, ey})
	d2 := x*x + y*y
	if d2 < limbusFrom {
		return s.iris(x, y)
	}
	light := s.sclera(ex, ey)
	if d2 < limbusTo {
		w := s.limbus[int((d2-limbusFrom)*(limbusSteps/(limbusTo-limbusFrom)))]
		if w > 0 {
			light += (s.iris(x, y) - light) * w
		}
	}
	return light
}

// iris is the light of pupil and iris at a place in the plane of the iris.
func (s *studio) iris(x, y float32) float32 {
	v := &s.view
	dx, dy := x-v.pupil.x, y-v.pupil.y
	d := sqrt(dx*dx + dy*dy)
	u := turn(dx, dy)
	i := int(u * pupilSteps)
	edge := (d-v.pupilAt[i])*v.r*0.6 + 0.5
	if edge <= 0 {
		return v.a.pupilGrey
	}
	across := clamp01((d - v.pupilAt[i]) * v.acrossAt[i])
	across = clamp01(across + v.stromaAt[i]*across*(1-across))
	if v.a.study != nil {
		k := i * (len(wavesOf) / pupilSteps)
		w := &v.warp
		u += w[0]*waveAt(k) + w[1]*waveAt(k-256) + w[2]*waveAt(2*k) + w[3]*waveAt(2*k-256)
	}
	u -= v.torsion + v.shear*(1-across)
	if u < 0 {
		u++
	} else if u >= 1 {
		u--
	}
	light := v.a.iris.at(u, across) + v.fold*(v.a.folds.at(u, across)-128)
	f := u + v.filmTurn
	if f >= 1 {
		f--
	}
	if v.a.study != nil {
		light += v.film * (v.a.study.films.at(f, v.filmRow(across)) - 128)
	} else {
		light += v.film * (v.a.folds.at(f, 1-across) - 128)
	}
	light *= 1 - 0.05*y
	if edge < 1 {
		light = v.a.pupilGrey + (light-v.a.pupilGrey)*edge
	}
	return light
}

// sclera is the white of the eye with its vessels, and the caruncle in the
// nasal corner.
func (s *studio) sclera(ex, ey float32) float32 {
	v := &s.view
	light := s.eyeball[int(min((ex*ex+ey*ey)*(eyeballSteps/eyeballTo), eyeballSteps))]
	mx, my := (ex-0.9*v.gx+vesselSpan)*vesselPerIR, (ey-0.9*v.gy+vesselSpan)*vesselPerIR
	if ix, iy := int(mx), int(my); mx > 0 && my > 0 && ix < vesselSize-1 && iy < vesselSize-1 {
		fx, fy := mx-float32(ix), my-float32(iy)
		n := iy*vesselSize + ix
		a, b := v.a.vessels[n:n+2:n+2], v.a.vessels[n+vesselSize:n+vesselSize+2:n+vesselSize+2]
		top := float32(a[0]) + (float32(a[1])-float32(a[0]))*fx
		bot := float32(b[0]) + (float32(b[1])-float32(b[0]))*fx
		light -= (top + (bot-top)*fy) * 0.075
	}
	t, base := v.a.lid.place(ex)
	if t > 0.7 {
		along, across := (t-1.02)/(0.19+0.006*float32(v.a.seed&7)), (ey-base-0.03)/0.42
		edge := sqrt(along*along + across*across)
		w := 1 - step(0.82, 1.02, edge)
		q := (edge - 1.06) / 0.16
		light -= 20 * bump(q*q) // the fold of the conjunctiva before it
		t := tiles()
		grain := tileAt(t.fine, int(ex*110)+900, int(ey*110)+900) + 2*tileAt(t.clouds, int(ex*300)+900, int(ey*300)+900)
		light += (v.a.scleraGrey*(0.93-0.10*edge) + 10*grain - light) * w
	}
	return light
}

// paintSpots adds the reflections that lie on the eye, or those before it.
func (s *studio) paintSpots(glass bool) {
	v := &s.view
	if !glass && v.c.Reflection > 0 {
		s.paintReflection()
	}
	for i := range v.spots {
		sp := &v.spots[i]
		if sp.glass != glass {
			continue
		}
		reach := max(sp.a, sp.b)*1.5 + 1
		for y := max(int(sp.at.y-reach), 0); y <= min(int(sp.at.y+reach), v.h-1); y++ {
			for x := max(int(sp.at.x-reach), 0); x <= min(int(sp.at.x+reach), v.w-1); x++ {
				w := sp.weight(float32(x), float32(y))
				if !glass && w > 0 {
					w *= clamp01(v.opening(v.toEye(point{float32(x), float32(y)})) + 0.5)
				}
				l := &s.light[y*v.w+x]
				*l += (sp.peak - *l) * w
			}
		}
	}
}

// paintReflection lays the faint image of a window over a part of the cornea.
func (s *studio) paintReflection() {
	v := &s.view
	r := newRNG(v.c.Seed, 0x3ef1)
	x0, y0 := 0.45*v.gx+0.6*r.signed(), 0.45*v.gy+0.5*r.signed()
	wx, wy, lean := r.between(0.15, 0.4), r.between(0.15, 0.35), 0.4*r.signed()
	c := v.toImage(point{x0, y0})
	reach := v.r * 0.8
	for y := max(int(c.y-reach), 0); y <= min(int(c.y+reach), v.h-1); y++ {
		for x := max(int(c.x-reach), 0); x <= min(int(c.x+reach), v.w-1); x++ {
			p := v.toEye(point{float32(x), float32(y)})
			ix, iy := v.toIris(p)
			if ix*ix+iy*iy > 1.15 {
				continue
			}
			dx, dy := abs(p.x-x0+lean*(p.y-y0)), abs(p.y-y0)
			w := (1 - step(wx-0.05, wx+0.05, dx)) * (1 - step(wy-0.05, wy+0.05, dy))
			if w > 0 {
				s.light[y*v.w+x] += float32(v.c.Reflection) * w * clamp01(v.opening(p)*0.3)
			}
		}
	}
}

// paintFrame draws the rim of spectacles with its shadow.
func (s *studio) paintFrame() {
	v := &s.view
	for y := range v.h {
		for x := range v.w {
			p := v.toEye(point{float32(x), float32(y)})
			a, b := (p.x+0.1)/2.62, (p.y-0.15)/1.72
			d := a*a*a*a + b*b*b*b
			l := &s.light[y*v.w+x]
			*l *= 0.96 - 0.25*step(0.8, 1, d)*(1-step(1.5, 2.2, d))
			*l += (38 - *l) * step(0.97, 1.03, d) * (1 - step(1.42, 1.48, d))
		}
	}
}
