package capture_test

import (
	"context"
	"errors"
	"fmt"
	"image"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"tambo/devices"
	"tambo/devices/tesseract"
	"tambo/kiosk"
	"tambo/kiosk/capture"
	"tambo/kiosk/document"
	"tambo/kiosk/specimen/page"
)

// teller is a reader of print that says one thing of a page, another of a place
// on it, and counts.
type teller struct {
	page, place []kiosk.Word
	err         error
	asked       int
}

func (r *teller) ReadText(_ context.Context, img *image.Gray) ([]kiosk.Word, error) {
	if r.asked++; img.Rect.Dx() > 1000 {
		return r.page, nil
	}
	return r.place, r.err
}

func word(s string) []kiosk.Word {
	return []kiosk.Word{{Text: s, Box: image.Rect(900, 200, 900+20*len(s), 236), Confidence: 0.95}}
}

// What is said to differ was read twice; whatever goes wrong with the second
// reading takes it away, and nothing but a missing reader takes the comparison
// away.
func TestComparePrintReadsTwice(t *testing.T) {
	h := page.NewHolder(5)
	l := h.MRZ()
	m, err := document.Parse(l[:], time.Now())
	if err != nil {
		t.Fatal(err)
	}
	p := &capture.Page{MRZ: m, Print: image.NewGray(image.Rect(0, 0, 1508, 843))}
	n := []byte(h.Number)
	for i := 1; i < len(n); i++ {
		if n[i] != n[i-1] {
			n[i], n[i-1] = n[i-1], n[i]
			break
		}
	}
	other := string(n)
	for _, c := range []struct {
		name  string
		r     *teller
		want  kiosk.PrintStanding
		asked int
	}{
		{"agrees", &teller{page: word(h.Number)}, kiosk.PrintAgrees, 1},
		{"differs twice", &teller{page: word(other), place: word(other)}, kiosk.PrintDiffers, 2},
		{"differs once", &teller{page: word(other), place: word(h.Number)}, kiosk.PrintNotFound, 2},
		{"cannot be read again", &teller{page: word(other), place: word(other), err: devices.ErrStalled}, kiosk.PrintNotFound, 2},
		{"nothing", &teller{}, kiosk.PrintNotFound, 1},
	} {
		got := p.ComparePrint(t.Context(), c.r)["documentNumber"]
		if got.Standing != c.want || c.r.asked != c.asked || (c.want == kiosk.PrintDiffers) != (got.Value == other) {
			t.Errorf("%s: %+v after %d readings", c.name, got, c.r.asked)
		}
	}
	if got := p.ComparePrint(t.Context(), nil); got != nil {
		t.Errorf("without a reader: %v", got)
	}
	if got := (&capture.Page{MRZ: m}).ComparePrint(t.Context(), &teller{page: word(h.Number)}); got != nil {
		t.Errorf("without a picture: %v", got)
	}
}

// asPrinted is how a page prints what its zone says: dates in one of the usual
// forms, the people's name for its code, and now and then a day of issue ten
// years before the last day, where a personal number would stand.
func asPrinted(h page.Holder, r *rand.Rand) page.Holder {
	es := strings.Fields("ENE FEB MAR ABR MAY JUN JUL AGO SEP OCT NOV DIC")
	en := strings.Fields("JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC")
	form := r.IntN(6)
	date := func(s string) string {
		t, err := time.Parse(time.DateOnly, s)
		if err != nil {
			return s
		}
		m := int(t.Month()) - 1
		switch form {
		case 1:
			return fmt.Sprintf("%02d %s %d", t.Day(), en[m], t.Year())
		case 2:
			return fmt.Sprintf("%02d %s/%s %d", t.Day(), es[m], en[m], t.Year())
		case 3:
			return t.Format("02.01.2006")
		case 4:
			return t.Format("02/01/2006")
		case 5:
			return fmt.Sprintf("%02d %s/%s %02d", t.Day(), es[m], en[m], t.Year()%100)
		}
		return s
	}
	p := h
	if r.IntN(4) == 0 {
		if t, err := time.Parse(time.DateOnly, h.Expiry); err == nil {
			p.Personal = date(t.AddDate(-10, 0, 0).Format(time.DateOnly))
		}
	}
	p.Birth, p.Expiry = date(h.Birth), date(h.Expiry)
	people := map[string]string{"UTO": "UTOPIANA", "PER": "PERUANA", "CHL": "CHILENA", "COL": "COLOMBIANA", "D": "DEUTSCH"}
	if n, ok := people[h.Nationality]; ok && r.IntN(2) == 0 {
		p.Nationality = n
	}
	return p
}

// altered is a zone that says one character of a field otherwise than the page
// prints it, with its check digits right, and the value it says then.
func altered(h page.Holder, field string, r *rand.Rand, now time.Time) (m document.MRZ, value string, ok bool) {
	const letters, digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "0123456789"
	change := func(s, set string) string {
		b := []rune(page.Transliterate(s))
		for range 100 {
			i, c := r.IntN(max(len(b), 1)), rune(set[r.IntN(len(set))])
			if i < len(b) && b[i] != '<' && b[i] != c {
				b[i] = c
				return strings.ReplaceAll(string(b), "<", " ")
			}
		}
		return s
	}
	day := func(s string) string { return strings.ReplaceAll(change(s, digits), " ", "-") }
	switch field {
	case "primaryIdentifier":
		h.Surname = change(h.Surname, letters)
	case "secondaryIdentifier":
		h.Given = change(h.Given, letters)
	case "documentNumber":
		h.Number = change(h.Number, letters+digits)
	case "nationality":
		h.Nationality = change(h.Nationality, letters)
	case "birthDate":
		h.Birth = day(h.Birth)
	case "expiryDate":
		h.Expiry = day(h.Expiry)
	case "sex":
		h.Sex = map[string]string{"F": "M", "M": "F", "X": "F"}[h.Sex]
	}
	l := h.MRZ()
	m, err := document.Parse(l[:], now)
	return m, valueOf(m, field), err == nil
}

func valueOf(m document.MRZ, name string) string {
	for _, f := range m.List() {
		if f.Name == name {
			return f.Value
		}
	}
	return ""
}

// TestPrintOnWornPages: generated pages, worn and scanned in a hurry, read by the
// program that is installed. Of their fields hardly any is said to differ; and of
// zones that were altered by one character against the same print, none is said to
// agree. With TAMBO_LONG 400 pages, else 3.
func TestPrintOnWornPages(t *testing.T) {
	reader, err := tesseract.Find()
	if err != nil {
		t.Skip(err)
	}
	n := 3
	if os.Getenv("TAMBO_LONG") != "" {
		n = 400
	}
	reader.Limit = 2 * time.Minute // what is measured is what it reads, on a busy machine too
	now := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	read, changed := map[kiosk.PrintStanding]int{}, map[kiosk.PrintStanding]int{}
	pages := 0
	for i := range n {
		seed := uint64(i) + 70000
		r := rand.New(rand.NewPCG(seed, 5))
		h := page.NewHolder(seed)
		dpi, wear := []int{200, 300}[r.IntN(2)], page.RandomWear(r)
		print := asPrinted(h, r)
		if print.Personal != h.Personal {
			h.Personal = ""
		}
		img := page.Age(page.DrawZone(print, h.MRZ(), dpi), wear)
		m, err := document.Read(t.Context(), img, now)
		if err != nil || !m.Accepted {
			continue
		}
		once := &memory{reader: reader}
		p := &capture.Page{MRZ: m, Print: document.Print(img, m)}
		got := p.ComparePrint(t.Context(), once)
		if got == nil {
			continue // not done in time: not compared
		}
		pages++
		for name, x := range got {
			if read[x.Standing]++; x.Standing == kiosk.PrintDiffers {
				t.Logf("page %d: %s %q is said to be printed %q", i, name, valueOf(m, name), x.Value)
			}
		}
		for _, name := range []string{"primaryIdentifier", "secondaryIdentifier", "documentNumber", "nationality", "birthDate", "sex", "expiryDate"} {
			m2, value, ok := altered(h, name, r, now)
			if !ok || value == valueOf(m, name) || value == "" {
				continue
			}
			other := &capture.Page{MRZ: m2, Print: p.Print}
			x, ok := other.ComparePrint(t.Context(), once)[name]
			if !ok {
				continue
			}
			if changed[x.Standing]++; x.Standing == kiosk.PrintAgrees {
				t.Errorf("page %d: %s %q agrees, the page prints %q", i, name, value, valueOf(m, name))
			}
		}
	}
	all := read[kiosk.PrintAgrees] + read[kiosk.PrintDiffers] + read[kiosk.PrintNotFound]
	t.Logf("%d pages, %d fields: %v; altered by one character: %v", pages, all, read, changed)
	if read[kiosk.PrintDiffers]*100 > all {
		t.Errorf("%d of %d fields are falsely said to differ", read[kiosk.PrintDiffers], all)
	}
	if pages > 100 && read[kiosk.PrintAgrees]*10 < all*7 {
		t.Errorf("%d of %d fields agree", read[kiosk.PrintAgrees], all)
	}
}

// memory reads each picture once.
type memory struct {
	reader devices.TextReader
	known  []struct {
		size  image.Point
		pix   []uint8
		words []kiosk.Word
	}
}

func (m *memory) ReadText(ctx context.Context, img *image.Gray) ([]kiosk.Word, error) {
	if img == nil {
		return nil, errors.New("no picture")
	}
	for _, k := range m.known {
		if k.size == img.Rect.Size() && slices.Equal(k.pix, img.Pix) {
			return k.words, nil
		}
	}
	words, err := m.reader.ReadText(ctx, img)
	if err == nil {
		m.known = append(m.known, struct {
			size  image.Point
			pix   []uint8
			words []kiosk.Word
		}{img.Rect.Size(), img.Pix, words})
	}
	return words, err
}
