package ui

import (
	"bytes"
	"image/png"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"time"

	"tambo/kiosk"
	"tambo/kiosk/ui/screens"
	"tambo/kiosk/ui/words"
)

func slipFor(l words.Language, recipients int) *screens.SlipState {
	e := &kiosk.Encounter{ID: "gb3dgy34h0j9rnjxrhte", Training: true, Arrival: kiosk.Arrival{Wristband: "0417", Authority: "ley", Language: string(l)},
		Modalities: []kiosk.Modality{kiosk.ModalityIris, kiosk.ModalityFace, kiosk.ModalityDocument},
		Captures:   []kiosk.Capture{{ID: 1, Modality: kiosk.ModalityIris}, {ID: 2, Modality: kiosk.ModalityDocument}}}
	a := &kiosk.Agreement{Authorities: []kiosk.Authority{{Code: "ley", Citation: "Ley Penitenciaria de Muestra, artículo 12, señalada en el año 2019"}},
		LocalSearch: kiosk.LocalSearch{Keep: 720 * time.Hour}, Retention: kiosk.Retention{Hub: 5 * 8760 * time.Hour},
		Redress: kiosk.Redress{Contact: map[string]string{"es": "Defensoría de Muestra, Jirón Ñañez 123, (01) 555-0100", "en": "Specimen Ombudsman, Jirón Ñañez 123, (01) 555-0100"}}}
	for i := range recipients {
		a.Recipients = append(a.Recipients, kiosk.Recipient{Name: "Servicio Penitenciario de Utopía, dirección regional número " + strconv.Itoa(i+1)})
	}
	return &screens.SlipState{Words: words.New(l), Encounter: e, Agreement: a, Now: time.Date(2026, 11, 22, 7, 0, 0, 0, time.UTC), Code: slipCode(e.ID)}
}

var pages = regexp.MustCompile(`/Type\s*/Page\b[^s]`)

// TestTheSlipIsOnePage: with two recipients and with sixteen, in both languages.
// TAMBO_LOOK=folder writes them there.
func TestTheSlipIsOnePage(t *testing.T) {
	for _, l := range words.All {
		for _, n := range []int{2, 16} {
			pdf, err := slipPDF(slipFor(l, n))
			if err != nil {
				t.Fatal(err)
			}
			if got := len(pages.FindAll(pdf, -1)); got != 1 || !bytes.HasPrefix(pdf, []byte("%PDF-")) {
				t.Errorf("%s: %d pages", l, got)
			}
			if dir := os.Getenv("TAMBO_LOOK"); dir != "" && n == 2 {
				if err := os.WriteFile(filepath.Join(dir, "slip-"+string(l)+".pdf"), pdf, 0o644); err != nil {
					t.Error(err)
				}
			}
		}
	}
	if _, err := slipPDF(&screens.SlipState{Words: words.New(words.Spanish)}); err == nil {
		t.Error("a paper without an encounter was made")
	}
}

// TestTheSlipsCode has the quiet zone that ISO/IEC 18004 asks for, and holds the
// encounter's number alone: neither the wristband nor a name.
func TestTheSlipsCode(t *testing.T) {
	s := slipFor(words.Spanish, 1)
	if s.Code != "GB3D GY34 H0J9 RNJX RHTE" {
		t.Errorf("the code is %q", s.Code)
	}
	b, err := slipQR(s.Code)
	if err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	dark, r := 0, img.Bounds()
	for y := range r.Dy() {
		for x := range r.Dx() {
			if v, _, _, _ := img.At(x, y).RGBA(); v == 0 {
				dark++
				if x < 32 || y < 32 || x >= r.Dx()-32 || y >= r.Dy()-32 {
					t.Fatalf("the quiet zone is not quiet at %d,%d", x, y)
				}
			}
		}
	}
	if share := float64(dark) / float64(r.Dx()*r.Dy()); share < 0.15 || share > 0.5 {
		t.Errorf("%.2f of the code is dark", share)
	}
	if b, err := slipQR(""); b != nil || err != nil {
		t.Errorf("no code: %d bytes, %v", len(b), err)
	}
}
