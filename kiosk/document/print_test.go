package document_test

import (
	"image"
	"testing"

	"tambo/kiosk/document"
	"tambo/kiosk/specimen/page"
)

// apart is how far two pictures of the same size are apart, in grey levels.
func apart(a, b *image.Gray) float64 {
	sum := 0
	for i, v := range a.Pix {
		sum += max(int(v)-int(b.Pix[i]), int(b.Pix[i])-int(v))
	}
	return float64(sum) / float64(len(a.Pix))
}

// However the page lies on the glass, what is cut out is the same: upright, 300
// dpi, without the zone and without the scanner's bed.
func TestPrintIsCutOutUpright(t *testing.T) {
	h := page.NewHolder(7)
	straight := cut(t, page.Draw(h, 300))
	if s := straight.Rect.Size(); s.X < 1480 || s.X > 1530 || s.Y < 830 || s.Y > 860 {
		t.Errorf("%v", s)
	}
	changed := h
	changed.Number, changed.Personal = "A1", "" // the printed number, and the zone's with it
	if d := apart(straight, cut(t, page.DrawZone(h, changed.MRZ(), 300))); d > 1 {
		t.Errorf("another zone makes another print: %.1f", d)
	}
	if d := apart(straight, cut(t, page.Draw(changed, 300))); d < 0.2 {
		t.Errorf("another print makes none: %.2f", d)
	}
	for name, w := range map[string]page.Wear{
		"a quarter turn": {Quarter: 1}, "upside down": {Quarter: 2}, "three quarters": {Quarter: 3}, "askew": {Rotation: 4, Bed: 255}, "on a dark bed": {Margin: 15, Bed: 0},
	} {
		if d := apart(straight, cut(t, page.Age(page.Draw(h, 300), w))); d > 9 {
			t.Errorf("%s: %.1f grey levels from the straight page", name, d)
		}
	}
	half := cut(t, page.Draw(h, 600))
	if half.Rect != straight.Rect || apart(straight, half) > 9 {
		t.Errorf("600 dpi: %v, %.1f", half.Rect, apart(straight, half))
	}
}

func cut(t *testing.T, img image.Image) *image.Gray {
	t.Helper()
	m, err := read(t, img)
	if err != nil {
		t.Fatal(err)
	}
	return document.Print(img, m)
}

func TestPrintOfNothing(t *testing.T) {
	l := page.NewHolder(7).MRZ()
	parsed, err := document.Parse(l[:], now)
	if err != nil {
		t.Fatal(err)
	}
	if document.Print(image.NewGray(image.Rect(0, 0, 500, 400)), parsed) != nil || document.Print(nil, parsed) != nil {
		t.Error("something was cut out of nothing")
	}
	g := image.NewGray(image.Rect(0, 0, 100, 50))
	if document.Enlarge(nil, g.Rect) != nil || document.Enlarge(g, image.Rect(300, 300, 400, 320)) != nil {
		t.Error("something was enlarged out of nothing")
	}
	if e := document.Enlarge(g, image.Rect(20, 10, 60, 30)); e.Rect.Size() != image.Pt(2*60+40, 2*40+40) || e.GrayAt(0, 0).Y != 255 {
		t.Errorf("%v", e.Rect)
	}
}
