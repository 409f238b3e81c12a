package screens_test

import (
	"image"
	"math"
	"testing"
	"time"

	"fyne.io/fyne/v2"

	"tambo/kiosk"
	"tambo/kiosk/specimen/eye"
	"tambo/kiosk/ui/screens"
	"tambo/kiosk/ui/theme"
	"tambo/kiosk/ui/widgets"
	"tambo/kiosk/ui/words"
)

var drawn = map[kiosk.Eye]*image.Gray{}

// drawnEye is an eye of nobody.
func drawnEye(e kiosk.Eye) *image.Gray {
	if drawn[e] == nil {
		drawn[e] = eye.Draw(eye.NewPerson(7), e, eye.Ordinary(), 640, 480)
	}
	return drawn[e]
}

func circle(x, y, r float64) (l []fyne.Position) {
	for i := range 64 {
		a := float64(i) / 64 * 2 * math.Pi
		l = append(l, fyne.NewPos(float32(x+r*math.Cos(a)), float32(y+r*math.Sin(a))))
	}
	return l
}

func feed(x *screens.IrisesScreen, eyes ...kiosk.Eye) *screens.Screen {
	for _, e := range eyes {
		i, tone := 0, theme.Good
		if e == kiosk.EyeLeft {
			i, tone = 1, theme.Care
		}
		v := x.Views[i]
		v.Feed(widgets.EyeFrame{Gray: drawnEye(e), Tone: tone, Contours: [][]fyne.Position{circle(320, 240, 45), circle(320, 240, 120)}})
		defer v.Flush()
	}
	return x.Screen
}

func irisesCalls() screens.IrisesCalls {
	none := func() {}
	return screens.IrisesCalls{OneEye: none, Refuses: none, Other: none, Below: func(kiosk.Eye) {}, Again: none, Stay: none, Park: none, Next: none}
}

func search(scope kiosk.Scope, n int, found ...kiosk.Candidate) kiosk.Search {
	id := 1
	if scope == kiosk.ScopeLists {
		id = 2
	}
	return kiosk.Search{ID: id, Scope: scope, Eyes: 2, Compared: n, Total: n, Complete: true, Candidates: found, At: at(ago(time.Minute)),
		Lists: []kiosk.ListAge{{List: "wanted", Version: 12, Signed: at(ago(31 * time.Hour))}}}
}

func wanted(p kiosk.Presentation) kiosk.Candidate {
	return kiosk.Candidate{Kind: kiosk.CandidateWatch, By: kiosk.MatchedIris, List: "Specimen list", Entry: "88213", LogFMR: 11.2, Strangers: 9.3e6, Eyes: 2, Presentation: p,
		Instruction: &kiosk.Instruction{Code: "custody", Text: map[string]string{"en": "Keep in custody. Call the duty supervisor.", "es": "Retener y llamar a la supervisión de turno."}}}
}

func hereBefore() kiosk.Candidate {
	return kiosk.Candidate{Kind: kiosk.CandidateEncounter, By: kiosk.MatchedIris, Encounter: "abcdefghjk0123456789", LogFMR: 7.4, Strangers: 40500, Eyes: 1}
}

func TestIrises(t *testing.T) {
	good := screens.EyeState{Present: true, Score: 88, Best: 91, Floor: 60, Done: true}
	poor := screens.EyeState{Present: true, Score: 38, Best: 54, Floor: 60}
	shows(t, "irises", func(l words.Language) *screens.Screen {
		f := frame(l)
		f.Encounter = encounter(kiosk.StepIrises)
		f.Encounter.Captures = []kiosk.Capture{{ID: 1, Modality: kiosk.ModalityIris, Eye: kiosk.EyeRight, Quality: kiosk.Quality{Score: 91, Floor: 60}}}
		x := screens.Irises(f, screens.IrisesState{Phase: screens.PhaseLooking, Eyes: [2]screens.EyeState{good, poor}, Ask: "open-wider", AskEye: kiosk.EyeLeft, Missing: 1}, irisesCalls())
		return feed(x, kiosk.EyeRight, kiosk.EyeLeft)
	})
	shows(t, "irises-struggle", func(l words.Language) *screens.Screen {
		f := frame(l)
		f.Training = true
		f.Encounter = encounter(kiosk.StepIrises)
		one := screens.EyeState{Floor: 60, Except: kiosk.ExceptBandaged}
		x := screens.Irises(f, screens.IrisesState{Phase: screens.PhaseStruggle, Eyes: [2]screens.EyeState{one, poor}, Missing: 1}, irisesCalls())
		return feed(x, kiosk.EyeLeft)
	})
	shows(t, "irises-kept", func(l words.Language) *screens.Screen {
		f := frame(l)
		f.Encounter = encounter(kiosk.StepIrises)
		f.Encounter.Searches = []kiosk.Search{search(kiosk.ScopeSite, 1210), search(kiosk.ScopeLists, 183000)}
		x := screens.Irises(f, screens.IrisesState{Phase: screens.PhaseSearched, Eyes: [2]screens.EyeState{good, good}, GoesOn: 3}, irisesCalls())
		return feed(x, kiosk.EyeRight, kiosk.EyeLeft)
	})
	shows(t, "irises-hit", func(l words.Language) *screens.Screen {
		f := frame(l)
		f.Encounter = encounter(kiosk.StepIrises)
		f.Encounter.Searches = []kiosk.Search{search(kiosk.ScopeSite, 1210), search(kiosk.ScopeLists, 183000, wanted(kiosk.PresentOpen))}
		x := screens.Irises(f, screens.IrisesState{Phase: screens.PhaseSearched, Eyes: [2]screens.EyeState{good, good}}, irisesCalls())
		return feed(x, kiosk.EyeRight, kiosk.EyeLeft)
	})
	shows(t, "irises-no-camera", func(l words.Language) *screens.Screen {
		f := frame(l)
		f.Status.Camera = screens.DeviceGone
		f.Encounter = encounter(kiosk.StepIrises)
		f.Alerts = lateAlert()
		return screens.Irises(f, screens.IrisesState{Phase: screens.PhaseNoCamera, Eyes: [2]screens.EyeState{{Floor: 60}, {Floor: 60}}, Missing: 2}, irisesCalls()).Screen
	})
}

func TestException(t *testing.T) {
	none := func() {}
	calls := screens.ExceptionCalls{Eye: func(kiosk.Eye) {}, Reason: func(kiosk.ExceptionReason) {}, Words: none, Present: none, Save: none, Back: none}
	shows(t, "exception", func(l words.Language) *screens.Screen {
		f := frame(l)
		f.Encounter = encounter(kiosk.StepIrises)
		return screens.Exception(f, screens.ExceptionState{Modality: kiosk.ModalityIris, Eyes: []kiosk.Eye{kiosk.EyeLeft}, Missing: []string{"reason"}}, calls)
	})
	shows(t, "exception-destroys", func(l words.Language) *screens.Screen {
		f := frame(l)
		f.Encounter = encounter(kiosk.StepIrises)
		return screens.Exception(f, screens.ExceptionState{Modality: kiosk.ModalityIris, Eyes: []kiosk.Eye{kiosk.EyeLeft}, Reason: kiosk.ExceptProsthetic, Destroys: true}, calls)
	})
	shows(t, "exception-refuses", func(l words.Language) *screens.Screen {
		f := frame(l)
		f.Encounter = encounter(kiosk.StepIrises)
		return screens.Exception(f, screens.ExceptionState{Modality: kiosk.ModalityIris, Eyes: []kiosk.Eye{kiosk.EyeLeft, kiosk.EyeRight}, Reason: kiosk.ExceptRefuses,
			Words: map[words.Language]string{words.English: "I do not want this.", words.Spanish: "No quiero."}[l], Missing: []string{"present"}}, calls)
	})
	shows(t, "below", func(l words.Language) *screens.Screen {
		f := frame(l)
		f.Encounter = encounter(kiosk.StepIrises)
		return screens.Below(f, screens.BelowState{Eye: kiosk.EyeLeft, Score: 54, Floor: 60, Image: drawnEye(kiosk.EyeLeft)},
			screens.BelowCalls{Reason: func(string) {}, Keep: none, Back: none})
	})
}

// identity is the specimen of ICAO Doc 9303, part 4.
func identity() kiosk.Identity {
	mrz := func(v string, s kiosk.FieldStatus) kiosk.Field {
		return kiosk.Field{Value: v, Source: kiosk.SourceMRZ, Status: s}
	}
	return kiosk.Identity{Surname: mrz("ERIKSSON", kiosk.FieldRead), Given: mrz("ANNA MARIA", kiosk.FieldRead), Birth: mrz("1974-08-12", kiosk.FieldChecked),
		Sex: mrz("F", kiosk.FieldRead), Nationality: mrz("UTO", kiosk.FieldRead), DocumentType: mrz("P", kiosk.FieldRead), DocumentNumber: mrz("L898902C3", kiosk.FieldDoubtful),
		Issuer: mrz("UTO", kiosk.FieldRead), Expiry: mrz("2012-04-15", kiosk.FieldChecked)}
}

// printed is an identity whose zone was compared with the page's print.
func printed(id kiosk.Identity) kiosk.Identity {
	for _, f := range []*kiosk.Field{&id.Surname, &id.Given, &id.Birth, &id.Nationality, &id.Issuer, &id.Expiry} {
		f.Print = kiosk.PrintAgrees
	}
	id.Sex.Print, id.DocumentNumber.Print = kiosk.PrintNotFound, kiosk.PrintNotFound
	id.Given.Printed = "ANNA MARÍA"
	return id
}

func TestDocument(t *testing.T) {
	none := func() {}
	calls := screens.DocumentCalls{Scan: none, Answer: func(string, string) {}, None: none, Type: none, Park: none, Next: none}
	picture := drawnPage()
	shows(t, "document", func(l words.Language) *screens.Screen {
		f := frame(l)
		f.Encounter = encounter(kiosk.StepDocument)
		return screens.Document(f, screens.DocumentState{Page: picture, Zone: screens.Box{X: 0.03, Y: 0.76, W: 0.94, H: 0.2}, Identity: printed(identity()), Expired: true,
			Answers: map[string]string{"documentNumber": "looked"}, Missing: 1}, calls)
	})
	shows(t, "document-empty", func(l words.Language) *screens.Screen {
		f := frame(l)
		f.Encounter = encounter(kiosk.StepDocument)
		return screens.Document(f, screens.DocumentState{Missing: 1}, calls)
	})
	shows(t, "document-long", func(l words.Language) *screens.Screen {
		f := frame(l)
		f.Encounter = encounter(kiosk.StepDocument)
		id := printed(identity())
		id.Surname.Value, id.Surname.Printed = "CHARONGUANGKIATKUL OLLANTA ZUNIGA", "CHARONGUANGKIATKUL OLLANTA ZÚÑIGA"
		given := id.Given
		given.Value, given.Printed = "BARTHOLOMAEUS MAXIMILIANO CONCEPCION", ""
		id.Given = given
		page := kiosk.Field{Value: "BARTHOLOMAEUS MAXIMILIANA CONCEPCION", Source: kiosk.SourcePage, Status: kiosk.FieldRead}
		id.Disagreements = []kiosk.Disagreement{{Field: "given", Chosen: -1, Values: []kiosk.Field{given, page}}}
		return screens.Document(f, screens.DocumentState{Page: picture, Zone: screens.Box{X: 0.03, Y: 0.76, W: 0.94, H: 0.2}, Identity: id, Missing: 1}, calls)
	})
	shows(t, "document-differs", func(l words.Language) *screens.Screen {
		f := frame(l)
		f.Training = true
		f.Encounter = encounter(kiosk.StepDocument)
		id := printed(identity())
		id.Birth.Status = kiosk.FieldMismatch
		page := func(f kiosk.Field, v string, chosen int) kiosk.Disagreement {
			return kiosk.Disagreement{Chosen: chosen, Values: []kiosk.Field{f, {Value: v, Source: kiosk.SourcePage, Status: kiosk.FieldRead}}}
		}
		id.DocumentNumber.Status = kiosk.FieldChecked
		surname, number := page(id.Surname, "ERICSSON", -1), page(id.DocumentNumber, "L898920C3", 1)
		surname.Field, number.Field = "surname", "documentNumber"
		id.Disagreements, id.DocumentNumber = []kiosk.Disagreement{surname, number}, number.Values[1]
		return screens.Document(f, screens.DocumentState{Page: picture, Identity: id, Unread: true, Missing: 3}, calls)
	})
}

func TestIdentity(t *testing.T) {
	none := func() {}
	calls := screens.IdentityCalls{Change: func(string) {}, Unknown: func(string) {}, Alias: none, Drop: func(int) {}, Park: none, Next: none}
	shows(t, "identity", func(l words.Language) *screens.Screen {
		f := frame(l)
		f.Encounter = encounter(kiosk.StepIdentity)
		id := identity()
		id.Aliases = []string{"Ana Ericson"}
		return screens.Identity(f, screens.IdentityState{Identity: id}, calls)
	})
	shows(t, "identity-unknown", func(l words.Language) *screens.Screen {
		f := frame(l)
		f.Encounter = encounter(kiosk.StepIdentity)
		return screens.Identity(f, screens.IdentityState{Identity: kiosk.Identity{Birth: kiosk.Field{Value: "1987-XX-XX", Source: kiosk.SourceOfficer}}, Missing: 1}, calls)
	})
}

// drawnPage is a page of nobody: grey paper with a picture's place and lines.
func drawnPage() image.Image {
	g := image.NewGray(image.Rect(0, 0, 500, 352))
	fill := func(x1, y1, x2, y2 int, v uint8) {
		for y := y1; y < y2; y++ {
			for x := x1; x < x2; x++ {
				g.Pix[y*g.Stride+x] = v
			}
		}
	}
	fill(0, 0, 500, 352, 222)
	fill(28, 50, 168, 230, 160)
	for i := range 6 {
		fill(195, 56+i*28, 300+(i*37)%150, 66+i*28, 70)
	}
	fill(15, 268, 485, 338, 240)
	for r := range 2 {
		for i := range 44 {
			fill(22+i*10+1, 280+r*26, 22+i*10+8, 294+r*26, 40)
		}
	}
	return g
}
