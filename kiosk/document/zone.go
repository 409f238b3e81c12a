package document

import (
	"math"
	"slices"
)

// zone is two or three lines that stand together, as seen: characters are
// counted alike in all of them, and the text runs with k.
type zone struct {
	lines []textLine
	// scaleU and scaleV are the size of the print against the pitch, across
	// and down; 1 as Doc 9303 has it.
	scaleU, scaleV float64
}

// span is the first and the last character that any line was seen to have.
func (z zone) span() (from, to int) {
	from, to = z.lines[0].from, z.lines[0].to
	for _, l := range z.lines[1:] {
		from, to = min(from, l.from), max(to, l.to)
	}
	return from, to
}

// format is the number of characters a line that suits what was seen.
func (z zone) format() int {
	from, to := z.span()
	switch n := to - from + 1; {
	case len(z.lines) == 3:
		return 30
	case n > 33 && n <= 37:
		return 36
	}
	return 44
}

// untransposed gives the line in the picture's own coordinates.
func (l textLine) untransposed() textLine {
	if l.transposed {
		l.x, l.y, l.transposed = l.y, l.x, false
	}
	return l
}

// reversed counts the characters the other way.
func (l textLine) reversed() textLine {
	l.x[1], l.y[1] = -l.x[1], -l.y[1]
	l.from, l.to = -l.to, -l.from
	return l
}

// shifted counts the characters so that k becomes k - by.
func (l textLine) shifted(by int) textLine {
	b := float64(by)
	for _, c := range []*[3]float64{&l.x, &l.y} {
		*c = [3]float64{poly(*c, b), c[1] + 2*b*c[2], c[2]}
	}
	l.from -= by
	l.to -= by
	return l
}

// scaled gives the line on a picture s times as large.
func (l textLine) scaled(s float64) textLine {
	for i := range 3 {
		l.x[i] *= s
		l.y[i] *= s
	}
	l.height *= s
	return l
}

// zones puts lines together that run side by side at the distance that lines
// of a zone have.
func zones(lines []textLine) []zone {
	for i := range lines {
		lines[i] = lines[i].untransposed()
	}
	taken := make([]bool, len(lines))
	order := make([]int, len(lines))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return lines[b].seen - lines[a].seen })
	var out []zone
	for _, i := range order {
		if taken[i] {
			continue
		}
		group := []textLine{lines[i]}
		taken[i] = true
		for grew := true; grew; {
			grew = false
			for _, j := range order {
				if !taken[j] && besideAny(group, lines[j]) {
					group, taken[j], grew = append(group, lines[j]), true, true
				}
			}
		}
		if z, ok := arrange(group); ok {
			out = append(out, z)
		}
	}
	return out
}

func besideAny(group []textLine, l textLine) bool {
	for i := range group {
		if beside(&group[i], &l) {
			return true
		}
	}
	return false
}

// beside reports whether b can be the next line of a's zone.
func beside(a, b *textLine) bool {
	p, q := a.pitch(), b.pitch()
	if p < 0.9*q || q < 0.9*p {
		return false
	}
	mid := float64(a.from+a.to) / 2
	ux, uy := a.step(mid)
	vx, vy := b.step(float64(b.from+b.to) / 2)
	if math.Abs(ux*vy-uy*vx) > 0.08*p*q {
		return false
	}
	across, along := offset(a, b, mid)
	if across = math.Abs(across); across < 1.15 || across > 3.6 {
		return false
	}
	return math.Abs(along) < 20
}

// offset is where the middle of b lies from a's middle, in pitches of a:
// across the line and along it.
func offset(a, b *textLine, mid float64) (across, along float64) {
	ux, uy := a.step(mid)
	ax, ay := a.at(mid)
	bx, by := b.at(float64(b.from+b.to) / 2)
	p := ux*ux + uy*uy
	return ((by-ay)*ux - (bx-ax)*uy) / p, ((bx-ax)*ux + (by-ay)*uy) / p
}

// arrange orders the lines from top to bottom as the first one's k runs, and
// counts characters alike in all.
func arrange(group []textLine) (zone, bool) {
	if len(group) < 2 {
		return zone{}, false
	}
	ref := group[0]
	rx, ry := ref.step(float64(ref.from+ref.to) / 2)
	mid := float64(ref.from+ref.to) / 2
	for i := range group {
		if dx, dy := group[i].step(float64(group[i].from+group[i].to) / 2); dx*rx+dy*ry < 0 {
			group[i] = group[i].reversed()
		}
	}
	slices.SortFunc(group, func(a, b textLine) int {
		p, _ := offset(&ref, &a, mid)
		q, _ := offset(&ref, &b, mid)
		return int(math.Copysign(1, p-q))
	})
	group = strongest(group)
	z := zone{lines: []textLine{group[0]}, scaleU: 1, scaleV: 1}
	for _, l := range group[1:] {
		z.lines = append(z.lines, l.shifted(alignment(&group[0], &l)))
	}
	if size := group[0].height / group[0].pitch(); size < 0.8 || size > 1.25 {
		z.scaleU, z.scaleV = size/1.02, size/1.02
	}
	return z, true
}

// strongest keeps, of more lines than a zone has, those that were seen best:
// three lines of at most 33 characters, else the best two that are adjacent.
func strongest(group []textLine) []textLine {
	short := true
	for _, l := range group {
		short = short && l.to-l.from+1 <= 33
	}
	if len(group) == 2 || len(group) == 3 && short {
		return group
	}
	best := 0
	for i := range len(group) - 1 {
		if group[i].seen+group[i+1].seen > group[best].seen+group[best+1].seen {
			best = i
		}
	}
	return group[best : best+2]
}

// alignment is the k of line l that stands under character 0 of ref.
func alignment(ref, l *textLine) int {
	mid := float64(ref.from+ref.to) / 2
	ax, ay := ref.at(mid)
	ux, uy := ref.step(mid)
	k := float64(l.from+l.to) / 2
	for range 4 {
		x, y := l.at(k)
		dx, dy := l.step(k)
		d := dx*ux + dy*uy
		if d == 0 {
			break
		}
		k -= ((x-ax)*ux + (y-ay)*uy) / d
	}
	return int(math.Round(k - mid))
}

// flipped is the zone read from the other side: turned by 180 degrees.
func (z zone) flipped() zone {
	q := z
	q.lines = nil
	for _, l := range slices.Backward(z.lines) {
		q.lines = append(q.lines, l.reversed())
	}
	return q
}

// upright turns the zone so that, as k runs, the next line lies down the page
// as print does: never mirrored.
func (z zone) upright() zone {
	l := &z.lines[0]
	if across, _ := offset(l, &z.lines[1], float64(l.from+l.to)/2); across < 0 {
		slices.Reverse(z.lines)
	}
	return z
}

// box is the outline of n characters from k on.
func (z zone) box(k, n int) [4]Point {
	corner := func(l *textLine, k, down float64) Point {
		x, y := l.at(k)
		ux, uy := l.step(k)
		return Point{x - down*uy, y + down*ux}
	}
	first, last := &z.lines[0], &z.lines[len(z.lines)-1]
	a, b := float64(k)-0.5, float64(k+n)-0.5
	return [4]Point{corner(first, a, -0.7), corner(first, b, -0.7), corner(last, b, 0.7), corner(last, a, 0.7)}
}
