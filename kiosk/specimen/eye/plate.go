package eye

// The skin plate is everything of a face around one eye that does not change
// between captures, with the lids as the person holds them; the drawing
// stretches it when they move.
const (
	platePerIR = 120 // plate pixels per iris radius
	plateW     = 2 * spanX * platePerIR
	plateH     = 2 * spanY * platePerIR
)

// skinTone is how a person's skin looks in near infrared: bright, whatever its
// colour in daylight.
type skinTone struct {
	grey, lightX, lightY   float32 // level and slope of illumination
	fine, folds, clouds    float32 // strength of the three scales of texture
	gloss                  float32 // strength of the highlights of moist skin
	lid                    float32 // how much darker the lid itself is, which faces down
	sulcus, noseShade, bag float32 // shading above the lid, beside the nose, below the eye
	brow                   float32 // lower edge of the brow, in iris radii
}

func newSkinTone(face *rng) skinTone {
	return skinTone{
		grey:   face.between(186, 222),
		lightX: face.between(-7, 7),
		lightY: face.between(-6, 8),
		fine:   face.between(4, 9),
		folds:  face.between(1.5, 5),
		clouds: face.between(3, 8),
		gloss:  face.between(0, 30),
		lid:    face.between(8, 34),
		sulcus: face.between(4, 22), noseShade: face.between(10, 60), bag: face.between(2, 12),
		brow: face.between(-2.9, -1.7),
	}
}

// newSkinPlate draws the plate. face draws what both eyes share.
func newSkinPlate(face, own rng, lid *lidShape) []uint8 {
	tone := newSkinTone(&face)
	p := plate{tone: tone, lid: lid, t: tiles()}
	p.dx, p.dy = own.intn(tileSize), own.intn(tileSize)
	p.lines = newSkinLines(&face, lid)
	p.fillColumns()
	var hairs coverage
	hairs.reset(plateW, plateH)
	p.brow(&hairs, &own)
	out := make([]uint8, plateW*plateH)
	for y := range plateH {
		for x := range plateW {
			v := p.at(x, y)
			if c := hairs.v[y*plateW+x]; c > 0 {
				v += (48 - v) * float32(c) / 255
			}
			out[y*plateW+x] = uint8(min(max(v+0.5, 0), 255))
		}
	}
	return out
}

type plate struct {
	tone   skinTone
	lid    *lidShape
	lines  []skinLine
	t      *noiseTiles
	dx, dy int
	// per column, in iris radii
	upper, lower [plateW]float32
	lineY        [][plateW]float32
	lineFade     [][plateW]float32
}

// skinLine is a fold of the skin that follows a lid.
type skinLine struct {
	above         bool
	distance, end float32 // from the margin in the middle, and beyond the corners
	depth, width  float32 // grey levels, iris radii
	from, to      float32 // place between the corners where it runs
}

func newSkinLines(face *rng, lid *lidShape) []skinLine {
	var l []skinLine
	if lid.crease > 0 {
		l = append(l, skinLine{true, lid.crease, 0.10, face.between(22, 46), face.between(0.03, 0.06), -1.2, 0.98})
	}
	if face.f() < 0.5 {
		l = append(l, skinLine{true, lid.crease + face.between(0.2, 0.4), 0.3, face.between(5, 16), 0.05, -1.0, 0.7})
	}
	for i := range 1 + face.intn(3) {
		d := 0.35 + 0.36*float32(i) + 0.1*face.f()
		l = append(l, skinLine{false, d, d * 0.5, face.between(5, 18), face.between(0.03, 0.07), face.between(-1, -0.3), face.between(0.5, 1.15)})
	}
	for range face.intn(3) { // lines from the temporal corner
		l = append(l, skinLine{face.f() < 0.5, 0.02, face.between(0.03, 0.25), face.between(6, 14), 0.035, -1.6, -1.0})
	}
	return l
}

func (p *plate) fillColumns() {
	p.lineY = make([][plateW]float32, len(p.lines))
	p.lineFade = make([][plateW]float32, len(p.lines))
	for x := range plateW {
		ex := float32(x)/platePerIR - spanX
		p.upper[x], p.lower[x] = p.lid.margins(ex, 1, 1, 0)
		t, _ := p.lid.place(ex)
		for i, l := range p.lines {
			d := l.end + (l.distance-l.end)*sqrt(clamp01(1-t*t))
			if l.above {
				p.lineY[i][x] = p.upper[x] - d
			} else {
				p.lineY[i][x] = p.lower[x] + d
			}
			p.lineFade[i][x] = l.depth * step(l.from-0.1, l.from+0.35, t) * (1 - step(l.to-0.35, l.to+0.1, t))
		}
	}
}

// at is the grey level of one plate pixel.
func (p *plate) at(x, y int) float32 {
	ex, ey := float32(x)/platePerIR-spanX, float32(y)/platePerIR-spanY
	above, below := p.upper[x]-ey, ey-p.lower[x]
	v := p.tone.grey + p.tone.lightX*ex + p.tone.lightY*ey
	v -= p.tone.noseShade * step(2.3, 4.2, ex)
	v -= 0.5 * p.tone.noseShade * step(2.6, 4.4, -ex)
	// the hollow above the lid, and the lid's own roundness
	s := above - 0.95
	v -= p.tone.sulcus * bump(s*s) * (1 - 0.1*ex*ex)
	if above > -0.2 {
		edge := p.lid.crease
		if edge == 0 {
			edge = 0.3
		}
		v -= p.tone.lid * (1 - step(0.6*edge, 1.5*edge, above)) * bump(ex*ex*0.11)
		q := (above - 0.45*edge) / (0.45 * edge)
		v += 6 * bump(q*q)
	}
	b := below - 0.75
	v -= p.tone.bag * bump(b*b*1.6)
	for i := range p.lines {
		d := ey - p.lineY[i][x]
		w := p.lines[i].width
		q := d / w
		v -= p.lineFade[i][x] * (bump(q*q) - 0.35*bump((q-1.5)*(q-1.5)) + 0.45*bump(q*q/9))
	}
	return v + p.texture(x, y, ex, ey)
}

// texture is relief under light from above: differences of noise.
func (p *plate) texture(x, y int, ex, ey float32) float32 {
	a, b := x+p.dx, y+p.dy
	fine := tileAt(p.t.fine, a, b)
	v := p.tone.fine * (tileAt(p.t.fine, a+1, b+1) - fine) * 1.4
	v += p.tone.folds * (tileAt(p.t.folds, a, b+2) - tileAt(p.t.folds, a, b)) * 1.3
	v += p.tone.clouds * tileAt(p.t.clouds, a, b)
	if p.tone.gloss > 0 {
		// moist skin: small highlights where it faces the lamp
		face := bump((ey-1.75)*(ey-1.75)*1.2)*bump(ex*ex*0.12) + 0.7*bump((ey+2.1)*(ey+2.1)*2)*bump(ex*ex*0.1)
		if spot := fine - 0.75 + 0.3*tileAt(p.t.clouds, a+200, b); spot > 0 {
			v += p.tone.gloss * 3.5 * face * min(spot, 1)
		}
		v += 1.1 * p.tone.gloss * face
	}
	return v
}

// brow draws the hairs of the eyebrow, where it reaches into the plate.
func (p *plate) brow(c *coverage, r *rng) {
	if p.tone.brow < -2.8 {
		return
	}
	for range 420 {
		x := r.between(-3.6, 3.2)
		y := p.tone.brow - 0.28*(1-x*x/8) - 1.3*abs(r.normal())*0.55
		length := r.between(0.25, 0.55)
		lean := 0.35 + 0.2*r.signed() - 0.12*x
		root := point{(x + spanX) * platePerIR, (y + spanY) * platePerIR}
		tip := point{root.x - platePerIR*length, root.y - platePerIR*length*lean*0.6}
		mid := root.to(tip, 0.5)
		mid.y -= 0.08 * platePerIR * length
		c.curve(root, mid, tip, r.between(1.4, 2.6), 0.4, r.between(0.35, 0.75))
	}
}

// Vessels of the sclera: a map over ±vesselSpan iris radii of the eyeball's
// front.
const (
	vesselSize  = 384
	vesselSpan  = 3
	vesselPerIR = vesselSize / (2 * vesselSpan)
)

func newVessels(r rng) []uint8 {
	var c coverage
	c.reset(vesselSize, vesselSize)
	n := 14 + r.intn(16)
	for range n {
		side := float32(1)
		if r.f() < 0.5 {
			side = -1
		}
		p := point{side * r.between(2.2, 2.9), r.signed() * 1.1}
		walkVessel(&c, &r, p, -side, r.between(1.2, 2.6), r.between(0.25, 0.75), 2)
	}
	return c.v
}

// walkVessel draws a vessel that wanders towards the iris and may branch.
func walkVessel(c *coverage, r *rng, p point, dir, width, alpha float32, branches int) {
	dy := 0.4 * r.signed()
	for range 5 + r.intn(6) {
		dy += 0.35*r.signed() - 0.15*p.y*0.3
		q := point{p.x + dir*r.between(0.10, 0.22), p.y + 0.2*dy}
		if q.x*q.x+q.y*q.y < 1.05 {
			return
		}
		c.segment(vesselPixel(p), vesselPixel(q), width, alpha)
		if branches > 0 && r.f() < 0.22 {
			walkVessel(c, r, q, dir, width*0.7, alpha*0.8, branches-1)
		}
		p, width = q, width*0.93
	}
}

func vesselPixel(p point) point {
	return point{(p.x + vesselSpan) * vesselPerIR, (p.y + vesselSpan) * vesselPerIR}
}
