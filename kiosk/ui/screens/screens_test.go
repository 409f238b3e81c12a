package screens_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"fyne.io/fyne/v2"

	"tambo/kiosk"
	"tambo/kiosk/ui/screens"
	"tambo/kiosk/ui/theme"
	"tambo/kiosk/ui/uitest"
	"tambo/kiosk/ui/widgets"
	"tambo/kiosk/ui/words"
)

// now is when every example happens.
var now = time.Date(2026, 11, 22, 7, 10, 0, 0, time.FixedZone("kiosk", -5*3600))

func ago(d time.Duration) time.Time { return now.Add(-d) }

func at(t time.Time) kiosk.Instant { return kiosk.Instant{Time: t, Trusted: true} }

// signedOut is the frame with nobody signed in; frame with an officer.
func signedOut(l words.Language) screens.Frame {
	return screens.Frame{
		Book: words.New(l), Now: now, Place: map[words.Language]string{words.English: "Admission 2", words.Spanish: "Ingreso 2"}[l],
		Status: screens.Status{
			Camera: screens.DeviceReady, Scanner: screens.DeviceReady,
			Hub:   screens.Hub{Reached: true, At: ago(2 * time.Minute)},
			Lists: screens.Lists{Signed: ago(31 * time.Hour), MaxAge: 72 * time.Hour},
			Clock: at(now), Power: screens.Power{Known: true, Mains: true},
		},
		Calls: screens.FrameCalls{Language: func() {}, GoTo: func(kiosk.StepKind) {}, HaveIt: func(string) {}},
	}
}

func frame(l words.Language) screens.Frame {
	f := signedOut(l)
	f.Status.Operator = kiosk.Operator{Label: "of-17", Role: kiosk.RoleOfficer}
	return f
}

// shows holds a screen to its golden picture in both languages and to the form
// that every screen must have, in every size, by day and by night. With
// TAMBO_LOOK=folder every one of these is written there, to be looked at.
func shows(t *testing.T, name string, build func(words.Language) *screens.Screen) {
	t.Helper()
	for _, l := range words.All {
		t.Run(name+"-"+string(l), func(t *testing.T) {
			uitest.App(t, false, theme.Metrics{})
			w := uitest.Window(t, build(l).Object, fyne.NewSize(1280, 800))
			uitest.Same(t, filepath.Join("testdata", name+"-"+string(l)+".png"), w.Canvas().Capture())
			well(t, name, string(l), func() fyne.CanvasObject { return build(l).Object })
		})
	}
}

// longer are the screens that may be higher than the least panel: lists of any
// length, and a document with more than one thing wrong.
var longer = []string{"arrivals", "arrival-minor", "review", "review-photo", "home", "home-many", "home-closed", "document", "document-differs", "document-long", "decision", "decision-second", "health", "health-vault", "diagnostics", "diagnostics-start", "diagnostics-face", "diagnostics-choice", "queue", "queue-many", "identity", "identity-unknown"}

// well holds a screen's form in every size by day, and by night: and that all
// of it is seen on the least panel, where it is not a list.
func well(t *testing.T, name, lang string, build func() fyne.CanvasObject) {
	t.Helper()
	for _, night := range []bool{false, true} {
		uitest.App(t, night, theme.Metrics{})
		for _, size := range uitest.Sizes {
			if night && size == uitest.Sizes[1] {
				continue // by night only the colours differ: the least and the largest panel
			}
			c := uitest.Window(t, build(), size).Canvas()
			found := uitest.Check(c)
			if !slices.Contains(longer, name) && uitest.Over(c) {
				found = append(found, "something lies below and must be scrolled to")
			}
			for _, f := range found {
				t.Errorf("%.0f×%.0f, night %t: %s", size.Width, size.Height, night, f)
			}
			if dir := os.Getenv("TAMBO_LOOK"); dir != "" && size == uitest.Sizes[0] {
				file := fmt.Sprintf("%s-%s-%.0f-%t.png", name, lang, size.Width, night)
				if err := uitest.Write(filepath.Join(dir, file), c.Capture()); err != nil {
					t.Error(err)
				}
			}
		}
	}
}

func wristband(s string) *screens.Batch {
	return &screens.Batch{Origin: s, Arrived: ago(time.Hour), Authority: "prison-act-12", Total: 20, Done: 8}
}

func TestSignIn(t *testing.T) {
	calls := screens.SignInCalls{SignIn: func(string, string) {}, Forgotten: func() {}, Wrong: func() {}, Other: func() {}}
	shows(t, "sign-in", func(l words.Language) *screens.Screen {
		return screens.SignIn(signedOut(l), screens.SignInState{Number: "of-17"}, calls)
	})
	shows(t, "sign-in-wrong", func(l words.Language) *screens.Screen {
		return screens.SignIn(signedOut(l), screens.SignInState{Number: "of-17", Fault: screens.FaultWrong}, calls)
	})
	shows(t, "locked", func(l words.Language) *screens.Screen {
		f := signedOut(l)
		f.Training = true
		return screens.SignIn(f, screens.SignInState{Locked: &screens.Locked{Operator: kiosk.Operator{Label: "of-17", Role: kiosk.RoleOfficer}, Since: ago(time.Minute), Open: true}}, calls)
	})
}

func lateAlert() []screens.LateAlert {
	return []screens.LateAlert{{Wristband: "0407", Alert: kiosk.Alert{ID: "a1", State: kiosk.AlertRaised, Raised: ago(14 * time.Minute),
		Instruction: kiosk.Instruction{Code: "custody", Text: map[string]string{"en": "Keep in custody. Call the duty supervisor.", "es": "Retener y llamar a la supervisión de turno."}}}}}
}

func TestHome(t *testing.T) {
	calls := screens.HomeCalls{Next: func() {}, Arrivals: func() {}, NewList: func() {}, Open: func(kiosk.EncounterID) {}, Queue: func() {}, Why: func() {},
		Fault: func() {}, Close: func() {}, Lock: func() {}}
	work := []screens.Unfinished{
		{ID: "a", Wristband: "0412", State: kiosk.StateParked, Park: kiosk.ParkUnclean, At: kiosk.StepDocument, Begun: ago(12 * time.Minute)},
		{ID: "b", Wristband: "0409", State: kiosk.StateHeld, At: kiosk.StepReview, Hold: &kiosk.Hold{Deadline: at(now.Add(80 * time.Minute))}},
		{ID: "c", Wristband: "0406", State: kiosk.StateParked, Park: kiosk.ParkMedical, At: kiosk.StepIrises},
	}
	queue := screens.Queue{People: 7, Oldest: ago(3 * time.Hour), Remaining: 4 * time.Minute, Photos: 5, Moving: true}
	shows(t, "home", func(l words.Language) *screens.Screen {
		f := frame(l)
		f.Alerts = lateAlert()
		return screens.Home(f, screens.HomeState{Batch: wristband("Callao"), Unfinished: work, Queue: queue}, calls)
	})
	shows(t, "home-closed", func(l words.Language) *screens.Screen {
		f := frame(l)
		f.Training = true
		f.Status.Hub = screens.Hub{At: ago(3 * time.Hour)}
		return screens.Home(f, screens.HomeState{Closed: screens.ClosedExpired, Damaged: 1, Queue: queue, Unfinished: work[:1]}, calls)
	})
}

// TestLongLists: a list shows so many lines and says how many more there are, and
// a touch shows them.
func TestLongLists(t *testing.T) {
	none := func() {}
	var work []screens.Unfinished
	var waiting []screens.Waiting
	for i := range 2*screens.Listed + 7 {
		work = append(work, screens.Unfinished{ID: kiosk.EncounterID(fmt.Sprint(i)), Wristband: fmt.Sprintf("%04d", i), State: kiosk.StateParked, Park: kiosk.ParkMedical, At: kiosk.StepIrises})
		waiting = append(waiting, screens.Waiting{Wristband: fmt.Sprintf("%04d", i), State: kiosk.StateSealed, Sealed: ago(time.Hour), Bytes: 2_400_000})
	}
	for _, c := range []struct {
		name  string
		below int // lines that are not of the list
		build func(l words.Language, listed int, more func()) *screens.Screen
	}{
		{"home-many", 1, func(l words.Language, listed int, more func()) *screens.Screen {
			return screens.Home(frame(l), screens.HomeState{Unfinished: work, Listed: listed}, screens.HomeCalls{Next: none, NewList: none, Open: func(kiosk.EncounterID) {}, More: more, Queue: none, Fault: none, Close: none, Lock: none})
		}},
		{"queue-many", 0, func(l words.Language, listed int, more func()) *screens.Screen {
			return screens.QueueHub(frame(l), screens.QueueState{Queue: screens.Queue{People: len(waiting), Oldest: ago(time.Hour)}, Waiting: waiting, Listed: listed}, screens.QueueCalls{Now: none, More: more, Back: none})
		}},
	} {
		shows(t, c.name, func(l words.Language) *screens.Screen { return c.build(l, 0, none) })
		uitest.App(t, false, theme.Metrics{})
		for listed, want := range map[int]int{0: screens.Listed, screens.Listed: screens.Listed, 2 * screens.Listed: 2 * screens.Listed, 3 * screens.Listed: len(work)} {
			touched := 0
			s := c.build(words.English, listed, func() { touched++ })
			uitest.Window(t, s.Object, uitest.Sizes[0])
			var rows []*widgets.ListRow
			for _, f := range widgets.Focusables(s.Object) {
				if r, ok := f.(*widgets.ListRow); ok {
					rows = append(rows, r)
				}
			}
			rows = rows[:len(rows)-c.below]
			more := 0
			if want < len(work) {
				more = 1
				rows[len(rows)-1].Tapped(&fyne.PointEvent{})
			}
			if len(rows) != want+more || touched != more {
				t.Errorf("%s: asked for %d of %d, it has %d lines, and more was asked for %d times", c.name, listed, len(work), len(rows), touched)
			}
		}
		if dir := os.Getenv("TAMBO_LOOK"); dir != "" {
			w := uitest.Window(t, c.build(words.Spanish, 0, none).Object, uitest.Sizes[0])
			for _, s := range widgets.Columns(w.Content()) {
				s.MoveTo(1e6)
			}
			if err := uitest.Write(filepath.Join(dir, c.name+".png"), w.Canvas().Capture()); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestAlertsOnHome: an alert that was withdrawn is as large as the alert was; one
// that somebody has stays, with their name, until it is done.
func TestAlertsOnHome(t *testing.T) {
	calls := screens.HomeCalls{Next: func() {}, Open: func(kiosk.EncounterID) {}, Queue: func() {}, Fault: func() {}, Lock: func() {}}
	shows(t, "home-alerts", func(l words.Language) *screens.Screen {
		f := frame(l)
		gone, taken := lateAlert()[0], lateAlert()[0]
		gone.Wristband, gone.Alert.ID, gone.Alert.State = "0402", "a2", kiosk.AlertWithdrawn
		taken.Alert.State, taken.Alert.SeenBy, taken.Taken = kiosk.AlertSeen, "of-17", true
		f.Alerts = []screens.LateAlert{taken, gone}
		return screens.Home(f, screens.HomeState{Queue: screens.Queue{People: 2, Oldest: ago(time.Hour)}}, calls)
	})
}

func agreement() *kiosk.Agreement {
	return &kiosk.Agreement{
		Title: "Specimen agreement",
		Authorities: []kiosk.Authority{{Code: "prison-act-12", Citation: "Specimen Prison Act, section 12", Basis: kiosk.BasisLegalDuty},
			{Code: "court-order", Citation: "Order of the Specimen Court", Basis: kiosk.BasisOrder}},
		Categories: []kiosk.Category{{Code: "remand", Bands: []kiosk.BandRule{{Band: kiosk.Band14To17, Guardian: true}, {Band: kiosk.BandAdult}}}},
		Recipients: []kiosk.Recipient{{Name: "Utopia Prison Service"}, {Name: "Utopia Border Service"}},
		Notice: kiosk.Notice{Text: map[string]string{
			"en": "Your irises and your document are recorded under the Specimen Prison Act, section 12, to establish who you are. Kept for 5 years. To object: Specimen Ombudsman, 555-0100.",
			"es": "Sus iris y su documento se registran según la Ley Penitenciaria de Muestra, artículo 12, para establecer quién es usted. Se guardan 5 años. Para oponerse: Defensoría de Muestra, 555-0100."},
			Given: []kiosk.NoticeForm{kiosk.NoticeRead, kiosk.NoticeShown, kiosk.NoticePrinted}},
		Floors:      kiosk.Floors{Iris: 40},
		LocalSearch: kiosk.LocalSearch{Keep: 30 * 24 * time.Hour},
		Retention:   kiosk.Retention{Hub: 5 * 365 * 24 * time.Hour},
		Redress:     kiosk.Redress{Contact: map[string]string{"en": "Specimen Ombudsman, 555-0100", "es": "Defensoría de Muestra, 555-0100"}},
		Expires:     now.Add(90 * 24 * time.Hour),
	}
}

func TestArrivals(t *testing.T) {
	calls := screens.ArrivalsCalls{Next: func() {}, Open: func(kiosk.EncounterID) {}, Origin: func() {}, Authority: func() {}, Total: func(int) {}, Begin: func() {}, Finish: func() {}, Back: func() {}}
	shows(t, "arrivals", func(l words.Language) *screens.Screen {
		rows := []screens.Person{
			{ID: "a", Wristband: "0405", State: kiosk.StateThin}, {ID: "b", Wristband: "0406", State: kiosk.StateParked, At: kiosk.StepIrises},
			{ID: "c", Wristband: "0407", State: kiosk.StateSealed}, {ID: "d", Wristband: "0409", State: kiosk.StateHeld, At: kiosk.StepReview},
			{ID: "e", Wristband: "0412", State: kiosk.StateDraft, At: kiosk.StepDocument}, {Wristband: "0413"}, {Wristband: "0414"}, {}, {},
		}
		return screens.Arrivals(frame(l), screens.ArrivalsState{Batch: *wristband("Callao"), Agreement: agreement(), Rows: rows}, calls)
	})
	shows(t, "arrivals-new", func(l words.Language) *screens.Screen {
		return screens.Arrivals(frame(l), screens.ArrivalsState{Batch: screens.Batch{Total: 12, Authority: "prison-act-12"}, New: true, Agreement: agreement(), Missing: []string{"origin"}}, calls)
	})
}

var stepKinds = []kiosk.StepKind{kiosk.StepArrival, kiosk.StepIrises, kiosk.StepDocument, kiosk.StepIdentity, kiosk.StepDecision, kiosk.StepReview}

// encounter is one that has come up to a step.
func encounter(to kiosk.StepKind) *kiosk.Encounter {
	e := &kiosk.Encounter{ID: "0123456789abcdefghjk", Visit: kiosk.VisitIntake, State: kiosk.StateDraft, At: to, Begun: at(ago(3 * time.Minute)), By: "of-17",
		Arrival: kiosk.Arrival{Wristband: "0412", Authority: "prison-act-12", Category: "remand", Band: kiosk.BandAdult, BandBasis: kiosk.AgeStated, Language: "es"}}
	state := kiosk.StepDone
	for _, k := range stepKinds {
		if k == to {
			state = kiosk.StepOpen
		}
		e.Steps = append(e.Steps, kiosk.Step{Kind: k, State: state, Required: true})
	}
	return e
}

func TestArrival(t *testing.T) {
	none := func() {}
	calls := screens.ArrivalCalls{Wristband: none, Guardian: none, Authority: none, Category: none, Flags: none, Band: func(kiosk.AgeBand) {}, Basis: func(kiosk.AgeBasis) {},
		Language: func(string) {}, Told: func(kiosk.NoticeForm) {}, Park: none, Next: none}
	shows(t, "arrival", func(l words.Language) *screens.Screen {
		f := frame(l)
		f.Encounter = encounter(kiosk.StepArrival)
		f.Encounter.Steps = f.Encounter.Steps[:1] // which steps follow is known once it is confirmed
		a := f.Encounter.Arrival
		a.Notice = kiosk.NoticeEvidence{Language: "es", Form: kiosk.NoticeRead}
		return screens.Arrival(f, screens.ArrivalState{Arrival: a, Agreement: agreement(), Permitted: []kiosk.Modality{kiosk.ModalityIris, kiosk.ModalityDocument}}, calls)
	})
	shows(t, "arrival-minor", func(l words.Language) *screens.Screen {
		f := frame(l)
		f.Training = true
		f.Encounter = encounter(kiosk.StepArrival)
		f.Status.Hub = screens.Hub{At: ago(3 * time.Hour)}
		f.Encounter.Arrival.Wristband = ""
		a := kiosk.Arrival{Authority: "prison-act-12", Category: "remand", Band: kiosk.Band14To17, Flags: []kiosk.ProtectedFlag{kiosk.FlagPregnant, kiosk.FlagAsylum}}
		return screens.Arrival(f, screens.ArrivalState{Arrival: a, Agreement: agreement(), Guardian: true, Stopped: true, Missing: []string{"wristband", "basis", "guardian", "notice"}}, calls)
	})
}

func TestTyping(t *testing.T) {
	shows(t, "type", func(l words.Language) *screens.Screen {
		f := frame(l)
		f.Training = true
		return screens.Type(f, screens.TypeState{Title: f.Say("held.title"), Detail: f.Say("held.blind"), Done: f.Say("held.sign"),
			Fields: []screens.TypeField{{Key: "n", Label: f.Say("signin.number"), Value: "su-3", Must: true}, {Key: "p", Label: f.Say("signin.password"), Secret: true, Must: true}}},
			screens.TypeCalls{Done: func(map[string]string) {}, Back: func() {}})
	})
	shows(t, "choose", func(l words.Language) *screens.Screen {
		f := frame(l)
		f.Encounter = encounter(kiosk.StepDocument)
		var o []screens.Option
		for _, k := range []string{"called away", "medical", "device fault", "person not able now"} {
			o = append(o, screens.Option{Key: k, Label: f.Say("park." + k)})
		}
		return screens.Choose(f, screens.ChooseState{Title: f.Say("park.title"), Detail: f.Say("park.note"), Choices: o}, screens.ChooseCalls{Choose: func(string) {}, Back: func() {}})
	})
}
