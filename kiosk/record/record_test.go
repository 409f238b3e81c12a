package record_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"tambo/kiosk"
	"tambo/kiosk/record"
)

func encounter() *kiosk.Encounter {
	capture := func(id int, eye kiosk.Eye, score int) kiosk.Capture {
		return kiosk.Capture{ID: kiosk.CaptureID(id), Modality: kiosk.ModalityIris, Eye: eye, Part: "iris-" + string(rune('0'+id)),
			Quality: kiosk.Quality{Score: score}, Template: &kiosk.Template{Engine: "e/1", Eye: eye, Data: []byte("TEMPLATE" + string(rune('0'+id)))}}
	}
	return &kiosk.Encounter{
		ID: kiosk.NewEncounterID(), Kiosk: "k-1",
		Identity: kiosk.Identity{Surname: kiosk.Field{Value: "MARKERNAME"}},
		Captures: []kiosk.Capture{capture(1, kiosk.EyeRight, 60), capture(2, kiosk.EyeRight, 90), capture(3, kiosk.EyeLeft, 70),
			{ID: 4, Modality: kiosk.ModalityIris, Eye: kiosk.EyeLeft, Part: "gone", Cleared: true, Quality: kiosk.Quality{Score: 99}}},
	}
}

func compose(t *testing.T, kind kiosk.PackageKind) map[string][]byte {
	t.Helper()
	parts, err := record.Compose(encounter(), kind, func(p string) ([]byte, error) {
		if strings.HasPrefix(p, "gone") {
			return nil, errors.New("a cleared capture was asked for")
		}
		return []byte("IMAGE " + p), nil
	})
	if err != nil {
		t.Fatal(err)
	}
	m := map[string][]byte{}
	for _, p := range parts {
		m[p.Name] = p.Body
	}
	return m
}

func TestEachRecipientGetsOnlyWhatIsTheirs(t *testing.T) {
	p := compose(t, kiosk.PackageEncounter)
	for _, x := range []struct {
		part, marker string
		there        bool
	}{
		{"templates", "MARKERNAME", false}, {"evidence", "MARKERNAME", false}, {"record", "MARKERNAME", true},
		{"image-1", "IMAGE iris-1", true}, {"image-3", "IMAGE iris-3", true},
	} {
		if got := bytes.Contains(p[x.part], []byte(x.marker)); got != x.there {
			t.Errorf("%s contains %q: %v", x.part, x.marker, got)
		}
	}
	tpl, err := record.ParseTemplates(p["templates"])
	if err != nil || len(tpl.Templates) != 2 || string(tpl.Templates[0].Data) != "TEMPLATE2" {
		t.Errorf("the matcher gets the best of each eye: %+v %v", tpl, err)
	}
	for _, name := range []string{"record", "evidence"} {
		if data, _ := json.Marshal([]byte("TEMPLATE2")); bytes.Contains(p[name], bytes.Trim(data, `"`)) {
			t.Errorf("%s holds a template", name)
		}
	}
	if _, ok := p["image-4"]; ok {
		t.Error("a cleared capture travels")
	}
}

func TestNoticeTravelsWithoutImages(t *testing.T) {
	p := compose(t, kiosk.PackageNotice)
	if len(p) != 3 {
		t.Errorf("%d parts", len(p))
	}
	ev, err := record.ParseEvidence(p["evidence"])
	if err != nil || len(ev.Irises) != 2 || string(ev.Irises[0].PNG) != "IMAGE iris-2.crop" {
		t.Errorf("%+v %v", ev, err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"visit":"prison intake","templates":[{"Engine":"e","Eye":1,"Data":"AA=="}]}`))
	f.Add([]byte(`{"id":"00000000000000000000","kiosk":"k"}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, err := range []error{
			second(record.ParseTemplates(b)), second(record.ParseEvidence(b)), second(record.ParseEncounter(b)),
		} {
			if err != nil && !errors.Is(err, record.ErrFormat) {
				t.Fatal(err)
			}
		}
	})
}

func second[T any](_ T, err error) error { return err }

// TestFaceGoesToCustodianAndAdjudicator: the whole photo to the one, the
// portrait of the newest to the other, nothing to the matcher.
func TestFaceGoesToCustodianAndAdjudicator(t *testing.T) {
	e := encounter()
	e.Captures = append(e.Captures,
		kiosk.Capture{ID: 5, Modality: kiosk.ModalityFace, Part: "face-5"}, kiosk.Capture{ID: 6, Modality: kiosk.ModalityFace, Part: "face-6"},
		kiosk.Capture{ID: 7, Modality: kiosk.ModalityFace, Part: "gone-7", Cleared: true})
	for _, kind := range []kiosk.PackageKind{kiosk.PackageEncounter, kiosk.PackageNotice} {
		parts, err := record.Compose(e, kind, func(p string) ([]byte, error) {
			if strings.HasPrefix(p, "gone") {
				return nil, errors.New("a cleared capture was asked for")
			}
			return []byte("IMAGE " + p), nil
		})
		if err != nil {
			t.Fatal(err)
		}
		m := map[string][]byte{}
		for _, p := range parts {
			m[p.Name] = p.Body
		}
		ev, err := record.ParseEvidence(m["evidence"])
		if err != nil || string(ev.Face) != "IMAGE face-6.crop" {
			t.Errorf("%s: the adjudicator gets %q (%v)", kind, ev.Face, err)
		}
		if bytes.Contains(m["templates"], []byte("face")) {
			t.Errorf("%s: the matcher gets a face", kind)
		}
		if full := string(m["image-6"]); (kind == kiosk.PackageEncounter) != (full == "IMAGE face-6") {
			t.Errorf("%s: the custodian gets %q", kind, full)
		}
	}
}
