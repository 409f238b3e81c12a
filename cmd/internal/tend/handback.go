package tend

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"image"
	"image/png"
	"time"

	"tambo/kiosk"
	"tambo/kiosk/health"
	"tambo/store/seal"
)

// handBackTime is how long the eye models are looked for.
const handBackTime = 15 * time.Second

// HandBack makes one test encounter with the technician's objects: both eye models
// through the camera, the calibration page through the scanner, and what came of
// them sealed to a key that is made for it and opened again. It is a
// [kiosk.VisitTest] and is forgotten: the vault takes none, and a technician has
// no key of the subject tier. It returns a code where all of it worked and nothing
// graver than a hint is known to be wrong with what an enrolment needs; else what
// failed: "camera", "scanner", "seal" or "verdict".
func (k *Kiosk) HandBack(ctx context.Context, by string) (code, failed string, err error) {
	now := time.Now
	if k.Now != nil {
		now = k.Now
	}
	k.Meter.Forget(health.PartCamera)
	k.Meter.Forget(health.PartScanner)
	code, err = health.NewCode(rand.Reader)
	if err != nil {
		return "", "", err
	}
	e := kiosk.Encounter{ID: kiosk.EncounterID("test-" + code), Visit: kiosk.VisitTest, State: kiosk.StateDraft, Begun: kiosk.Instant{Time: now()}, By: by}
	look, failed, err := k.testEyes(ctx)
	var page *image.Gray
	if err == nil && failed == "" {
		page, failed, err = k.testPage(ctx)
	}
	if err == nil && failed == "" && !sealsAndOpens(&e, look, page) {
		failed = "seal"
	}
	if err == nil && failed == "" {
		for _, f := range health.Judge(k.Facts(ctx)).Findings {
			if f.Weight == health.Stop || f.Weight == health.Care && (f.Part == health.PartCamera || f.Part == health.PartScanner || f.Part == health.PartVault || f.Part == health.PartDisk) {
				failed = "verdict"
			}
		}
	}
	if err != nil {
		return "", failed, err
	}
	if k.Journal != nil {
		if err := k.Journal.Note(health.Note{Kind: health.NoteTest, Code: code, Passed: failed == ""}); err != nil {
			return "", failed, err
		}
	}
	if k.Vault != nil {
		word := "passed"
		if failed != "" {
			word = "failed: " + failed
		}
		if err := k.Vault.Audit("handed back", "", by, word); err != nil {
			return "", failed, err
		}
	}
	if failed != "" {
		return "", failed, nil
	}
	return code, "", nil
}

func (k *Kiosk) testEyes(ctx context.Context) (best Look, failed string, err error) {
	lctx, stop := context.WithTimeout(ctx, handBackTime)
	defer stop()
	looks := 0
	_, err = k.Meter.Watch(lctx, health.PartCamera, "", func(l Look) {
		if looks++; l.Passed() {
			best = l
		}
		if best.Passed() && looks >= 8 {
			stop()
		}
	})
	if err != nil || !best.Passed() {
		failed = "camera"
	}
	return best, failed, err
}

func (k *Kiosk) testPage(ctx context.Context) (img *image.Gray, failed string, err error) {
	s, err := k.Meter.OpenScanner(ctx)
	if err != nil {
		return nil, "scanner", err
	}
	defer s.Close()
	f, img, err := k.Meter.Calibrate(ctx, s, 300)
	switch {
	case err != nil && !f.Found && !f.At.IsZero():
		return nil, "scanner", nil // it scanned; it was not the page
	case err != nil:
		return nil, "scanner", err
	case f.Sharp < health.ScanSharpFloor, f.White < health.ScanWhiteFloor, max(f.Scale-100, 100-f.Scale) > health.ScaleLimit:
		return nil, "scanner", nil
	}
	return img, "", nil
}

// sealsAndOpens seals what was captured to a key made for it, and opens it.
func sealsAndOpens(e *kiosk.Encounter, l Look, page *image.Gray) bool {
	private, public, err := seal.GenerateKey()
	if err != nil {
		return false
	}
	verify, sign, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return false
	}
	for part, img := range map[string]*image.Gray{"iris-left": l.Left.Picture, "iris-right": l.Right.Picture, "page": page} {
		var plain, sealed, opened bytes.Buffer
		if png.Encode(&plain, img) != nil {
			return false
		}
		want := bytes.Clone(plain.Bytes())
		b := seal.Binding{Kiosk: "test", Encounter: e.ID, Agreement: "test", KeyID: seal.KeyID(public), Part: part}
		if _, _, err := seal.Seal(&sealed, &plain, public, b, sign); err != nil {
			return false
		}
		if seal.Open(&opened, &sealed, private, b, verify) != nil || !bytes.Equal(opened.Bytes(), want) {
			return false
		}
	}
	return true
}
