package page_test

import (
	"bytes"
	"image"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"tambo/kiosk/document"
	"tambo/kiosk/specimen/page"
)

var now = time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)

// Every holder's lines say what the holder is, by the parser's reading.
func TestHoldersParse(t *testing.T) {
	cut, used := 0, map[rune]bool{}
	for seed := range uint64(3000) {
		h := page.NewHolder(seed)
		l := h.MRZ()
		m, err := document.Parse(l[:], now)
		if err != nil || !m.Accepted {
			t.Fatalf("seed %d: %v\n%s\n%s\n%+v", seed, err, l[0], l[1], m)
		}
		f := m.Fields
		if f.DocumentNumber.Value != h.Number || f.BirthDate.Value != h.Birth || f.ExpiryDate.Value != h.Expiry ||
			f.Nationality.Value != h.Nationality || f.OptionalData.Value != h.Personal || f.Sex.Value != h.Sex {
			t.Fatalf("seed %d: %+v\n%+v", seed, h, f)
		}
		if f.PrimaryIdentifier.Note+f.SecondaryIdentifier.Note == document.NoteMaybeCut {
			cut++
		}
		for _, c := range l[0] + l[1] {
			used[c] = true
		}
	}
	t.Logf("3000 holders, %d names cut, %d characters of 37 used", cut, len(used))
	if cut < 50 || len(used) != 37 {
		t.Errorf("holders are not varied enough")
	}
}

// Doc 9303-3 section 6 and 9303-4 4.2.3.
func TestNames(t *testing.T) {
	for _, v := range []struct{ surname, given, want string }{
		{"Eriksson", "Anna Maria", "ERIKSSON<<ANNA<MARIA"},
		{"Núñez Ñahui", "Íñigo", "NUNEZ<NAHUI<<INIGO"},
		{"O'Connor", "Enya Siobhan", "OCONNOR<<ENYA<SIOBHAN"},
		{"van der Muellen", "", "VAN<DER<MUELLEN"},
		{"Etxeberría-Goñi", "Zoë", "ETXEBERRIA<GONI<<ZOE"},
		{"Müller Øvergård", "Łucja", "MUELLER<OEVERGAARD<<LUCJA"},
		{"Strauß", "Čelik", "STRAUSS<<CELIK"},
		{"Smith, Jr.", "J.", "SMITH<JR<<J"},
	} {
		want := v.want + strings.Repeat("<", 39-len(v.want))
		if got := page.Names(v.surname, v.given, 39); got != want {
			t.Errorf("%s / %s: %s, want %s", v.surname, v.given, got, want)
		}
	}
	r := rand.New(rand.NewPCG(1, 1))
	for range 5000 {
		word := func() string { return strings.Repeat("ABCDE", 9)[:1+r.IntN(14)] }
		s, g := word(), word()
		for range r.IntN(4) {
			s += " " + word()
		}
		for range r.IntN(4) {
			g += " " + word()
		}
		got := page.Names(s, g, 39)
		whole := strings.ReplaceAll(s, " ", "<") + "<<" + strings.ReplaceAll(g, " ", "<")
		if len(got) != 39 || len(whole) > 39 && got[38] == '<' || strings.Count(got, "<<") == 0 && len(whole) < 39 {
			t.Fatalf("%q %q: %q", s, g, got)
		}
		if strings.HasPrefix(got, "<") || strings.Contains(strings.TrimRight(got, "<"), "<<<") {
			t.Fatalf("%q %q: %q", s, g, got)
		}
	}
}

func TestDrawAndAgeAreRepeatable(t *testing.T) {
	a, b := page.Draw(page.NewHolder(5), 300), page.Draw(page.NewHolder(5), 300)
	if a.Bounds() != image.Rect(0, 0, 1476, 1039) {
		t.Errorf("bounds %v", a.Bounds())
	}
	if !bytes.Equal(a.Pix, b.Pix) {
		t.Error("the same holder is drawn differently")
	}
	before := append([]byte(nil), a.Pix...)
	w := page.Wear{Ink: 0.5, Fade: 0.2, Dirt: 5, Rotation: 2, Blur: 0.1, Noise: 3, Glare: 0.3, Shadow: 0.2, Margin: 5, Seed: 9}
	x, y := page.Age(a, w), page.Age(a, w)
	if !bytes.Equal(x.(*image.RGBA).Pix, y.(*image.RGBA).Pix) {
		t.Error("the same wear falls differently")
	}
	if !bytes.Equal(before, a.Pix) {
		t.Error("Age changed its input")
	}
	if got := page.Age(image.NewGray(image.Rect(0, 0, 0, 0)), w); !got.Bounds().Empty() {
		t.Error("an empty picture became one")
	}
	q := page.Age(page.Draw(page.NewHolder(5), 100), page.Wear{Quarter: 1}).Bounds()
	if q.Dx() >= q.Dy() {
		t.Errorf("a quarter turn gives %v", q)
	}
}
