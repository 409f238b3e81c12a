// Package record says what stands inside the parts of a package, before they
// are sealed and after the hub opened them: which facts go to the matcher, which
// to the adjudicator, which to the custodian.
//
// It is pure. It never encrypts or signs (store/seal does), and it never puts a
// template where biographics are, or a name where templates are.
package record

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"tambo/kiosk"
)

// Format is the version of the plaintexts in this package.
const Format = 1

// MaxPart bounds a plaintext part, in bytes; a larger one is refused.
const MaxPart = 32 << 20

// ErrFormat marks a plaintext that is not what it should be.
var ErrFormat = errors.New("record: malformed part")

// Part is one plaintext part. Name and Kind appear in the manifest, for
// everyone to read; Body does not.
type Part struct {
	Name string
	Kind kiosk.PartKind
	Body []byte
}

// Evidence is the body of the evidence part: what an adjudicator must see to
// confirm or reject a hit, and nothing else.
type Evidence struct {
	Format    int               `json:"format"`
	Encounter kiosk.EncounterID `json:"encounter"`
	Irises    []Crop            `json:"irises,omitempty"`
	Face      []byte            `json:"face,omitempty"` // JPEG: the portrait cut out of the face photo
	Searches  []kiosk.Search    `json:"searches,omitempty"`
}

// Crop is an iris image cropped to the iris, with lids and sclera masked
// (ISO/IEC 19794-6:2011 kind 7: cropped and masked), as PNG.
type Crop struct {
	Eye kiosk.Eye `json:"eye"`
	PNG []byte    `json:"png"`
	// Attack holds the strong signals of a presentation attack: whoever compares
	// the images should know.
	Attack []kiosk.AttackSignal `json:"attack,omitempty"`
}

// CropPart is the name under which a draft keeps the crop of a capture: the
// masked iris, the portrait of a face photo.
func CropPart(capturePart string) string { return capturePart + ".crop" }

// Compose writes the plaintext parts of an encounter. image returns the bytes
// that the draft keeps under a part name; it is asked for every capture that
// stands. A notice of a hit carries no full images: they follow with the
// encounter.
func Compose(e *kiosk.Encounter, kind kiosk.PackageKind, image func(part string) ([]byte, error)) ([]Part, error) {
	t := kiosk.TemplatesPart{Visit: e.Visit, Templates: []kiosk.Template{}}
	ev := Evidence{Format: Format, Encounter: e.ID, Searches: e.Searches}
	var images []Part
	for i := range e.Captures {
		c := &e.Captures[i]
		if c.Cleared {
			continue
		}
		if c.Modality == kiosk.ModalityIris && e.Best(c.Eye) == c {
			if c.Template != nil {
				t.Templates = append(t.Templates, *c.Template)
			}
			crop, err := image(CropPart(c.Part))
			if err != nil {
				return nil, fmt.Errorf("record: crop of capture %d: %w", c.ID, err)
			}
			ev.Irises = append(ev.Irises, Crop{Eye: c.Eye, PNG: crop, Attack: c.Quality.Suspect()})
		}
		if c == e.Photo() {
			crop, err := image(CropPart(c.Part))
			if err != nil {
				return nil, fmt.Errorf("record: portrait of capture %d: %w", c.ID, err)
			}
			ev.Face = crop
		}
		if kind == kiosk.PackageNotice {
			continue
		}
		b, err := image(c.Part)
		if err != nil {
			return nil, fmt.Errorf("record: image of capture %d: %w", c.ID, err)
		}
		images = append(images, Part{Name: fmt.Sprintf("image-%d", c.ID), Kind: kiosk.PartImages, Body: b})
	}
	out := make([]Part, 0, 3+len(images))
	for _, x := range []struct {
		name string
		kind kiosk.PartKind
		body any
	}{
		{"templates", kiosk.PartTemplates, t},
		{"evidence", kiosk.PartEvidence, ev},
		{"record", kiosk.PartRecord, withoutTemplates(e)},
	} {
		b, err := json.Marshal(x.body)
		if err != nil {
			return nil, fmt.Errorf("record: %s: %w", x.name, err)
		}
		out = append(out, Part{Name: x.name, Kind: x.kind, Body: b})
	}
	out = append(out, images...)
	for _, p := range out {
		if len(p.Body) > MaxPart {
			return nil, fmt.Errorf("%w: %s has %d bytes, at most %d are allowed", ErrFormat, p.Name, len(p.Body), MaxPart)
		}
	}
	return out, nil
}

// withoutTemplates is what the custodian gets: everything but templates.
func withoutTemplates(e *kiosk.Encounter) kiosk.Encounter {
	r := *e
	r.Captures = slices.Clone(e.Captures)
	for i := range r.Captures {
		r.Captures[i].Template, r.Captures[i].Earlier = nil, nil
	}
	return r
}

// ParseTemplates reads the body of a templates part. Errors wrap ErrFormat.
func ParseTemplates(b []byte) (kiosk.TemplatesPart, error) {
	var t kiosk.TemplatesPart
	if err := parse(b, &t); err != nil {
		return t, err
	}
	if len(t.Templates) > 16 {
		return t, fmt.Errorf("%w: %d templates of one encounter", ErrFormat, len(t.Templates))
	}
	for _, x := range t.Templates {
		if !x.Eye.Valid() || x.Engine == "" || len(x.Engine) > 64 {
			return t, fmt.Errorf("%w: template", ErrFormat)
		}
	}
	return t, nil
}

// ParseEvidence reads the body of an evidence part. Errors wrap ErrFormat.
func ParseEvidence(b []byte) (Evidence, error) {
	var e Evidence
	if err := parse(b, &e); err != nil {
		return e, err
	}
	if e.Format != Format || e.Encounter.Validate() != nil || len(e.Irises) > 16 {
		return e, fmt.Errorf("%w: evidence", ErrFormat)
	}
	return e, nil
}

// ParseEncounter reads the body of a record part. Errors wrap ErrFormat.
func ParseEncounter(b []byte) (kiosk.Encounter, error) {
	var e kiosk.Encounter
	if err := parse(b, &e); err != nil {
		return e, err
	}
	if e.ID.Validate() != nil || e.Kiosk.Validate() != nil {
		return e, fmt.Errorf("%w: record", ErrFormat)
	}
	return e, nil
}

func parse(b []byte, into any) error {
	if len(b) > MaxPart {
		return fmt.Errorf("%w: %d bytes", ErrFormat, len(b))
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return fmt.Errorf("%w: %s", ErrFormat, strings.TrimPrefix(err.Error(), "json: "))
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("%w: something follows", ErrFormat)
	}
	return nil
}
