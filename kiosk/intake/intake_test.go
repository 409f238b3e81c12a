package intake_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"tambo/kiosk"
	"tambo/kiosk/intake"
	"tambo/kiosk/policy"
)

var (
	now        = kiosk.Instant{Time: time.Date(2026, 11, 22, 6, 30, 0, 0, time.UTC), Trusted: true}
	officer    = kiosk.Operator{Label: "of-1", Role: kiosk.RoleOfficer}
	supervisor = kiosk.Operator{Label: "su-1", Role: kiosk.RoleSupervisor}
	technician = kiosk.Operator{Label: "te-1", Role: kiosk.RoleTechnician}
)

func rules() intake.Rules {
	return intake.Rules{Agreement: policy.TrainingAgreement(nil, now.Time), Digest: "d1"}
}

func arrival(band kiosk.AgeBand) kiosk.Arrival {
	a := rules().Agreement
	return kiosk.Arrival{
		Wristband: "0417", Authority: "prison-act-12", Category: "remand", Band: band, BandBasis: kiosk.AgeStated, Language: "es",
		Notice: kiosk.NoticeEvidence{Language: "es", Digest: a.Notice.Digest["es"], Form: kiosk.NoticeRead, At: now},
	}
}

func iris(eye kiosk.Eye, part string, score int) kiosk.Captured {
	return kiosk.Captured{Capture: kiosk.Capture{
		Modality: kiosk.ModalityIris, Eye: eye, Part: part, Quality: kiosk.Quality{Score: score, Floor: 40},
		Template: &kiosk.Template{Engine: "t", Eye: eye, Data: []byte{1}},
	}}
}

func photo(part string, score int) kiosk.Captured {
	return kiosk.Captured{Capture: kiosk.Capture{Modality: kiosk.ModalityFace, Part: part, Quality: kiosk.Quality{Score: score, Floor: 60}}}
}

func search(scope kiosk.Scope, hits int, captures ...kiosk.CaptureID) kiosk.Searched {
	q := kiosk.Search{Scope: scope, Captures: captures, Compared: 3, Total: 3, Complete: true}
	for range hits {
		q.Candidates = append(q.Candidates, kiosk.Candidate{Kind: kiosk.CandidateWatch, By: kiosk.MatchedIris})
	}
	return kiosk.Searched{Search: q}
}

// walker applies events and remembers the effects.
type walker struct {
	t   *testing.T
	r   intake.Rules
	e   kiosk.Encounter
	all []intake.Effect
}

func (w *walker) must(by kiosk.Operator, evs ...kiosk.Event) {
	w.t.Helper()
	for _, ev := range evs {
		next, fx, err := w.r.Apply(w.e, ev, by, now)
		if err != nil {
			w.t.Fatalf("%s: %v", ev.Name(), err)
		}
		w.e = next
		w.all = append(w.all, fx...)
	}
}

func (w *walker) refused(by kiosk.Operator, ev kiosk.Event, missing string) {
	w.t.Helper()
	before, _ := json.Marshal(w.e)
	_, fx, err := w.r.Apply(w.e, ev, by, now)
	var ref *intake.Refusal
	if !errors.As(err, &ref) || !errors.Is(err, intake.ErrRefused) || len(fx) > 0 {
		w.t.Fatalf("%s: want a refusal, have %v", ev.Name(), err)
	}
	if missing != "" && !slices.Contains(ref.Missing, missing) {
		w.t.Fatalf("%s: missing %v, want %q among them", ev.Name(), ref.Missing, missing)
	}
	if after, _ := json.Marshal(w.e); string(after) != string(before) {
		w.t.Fatalf("%s: a refused event changed the encounter", ev.Name())
	}
}

// begin walks to the irises step.
func begin(t *testing.T) *walker {
	w := &walker{t: t, r: rules()}
	w.must(officer, kiosk.Began{Visit: kiosk.VisitIntake, Site: "north", Kiosk: "k-1"}, kiosk.Arrived{Arrival: arrival(kiosk.BandAdult)})
	return w
}

var cleanIdentity = kiosk.Identified{Identity: kiosk.Identity{
	Surname: kiosk.Field{Value: "ERIKSSON", Status: kiosk.FieldRead}, Birth: kiosk.Field{Value: "1974-08-12", Status: kiosk.FieldChecked},
}}

// toDecision captures everything and searches with the given numbers of hits.
func (w *walker) toDecision(hits int) {
	w.must(officer, iris(kiosk.EyeRight, "r1", 80), iris(kiosk.EyeLeft, "l1", 80))
	w.refused(officer, kiosk.StepConfirmed{Step: kiosk.StepIrises}, "search:site")
	w.must(officer, search(kiosk.ScopeSite, 0, 1, 2), search(kiosk.ScopeLists, hits, 1, 2),
		kiosk.StepConfirmed{Step: kiosk.StepIrises},
		kiosk.Captured{Capture: kiosk.Capture{Modality: kiosk.ModalityDocument, Part: "p1", Read: true}},
		kiosk.StepConfirmed{Step: kiosk.StepDocument}, cleanIdentity, kiosk.StepConfirmed{Step: kiosk.StepIdentity})
	w.refused(officer, kiosk.StepConfirmed{Step: kiosk.StepFace}, "capture:face")
	w.must(officer, photo("f1", 80), kiosk.StepConfirmed{Step: kiosk.StepFace})
}

func TestCleanIntakeSeals(t *testing.T) {
	w := begin(t)
	w.toDecision(0)
	w.must(officer, kiosk.Decided{Decision: kiosk.Decision{Outcome: kiosk.OutcomeEnrol}},
		kiosk.StepConfirmed{Step: kiosk.StepDecision}, kiosk.Reviewed{})
	if w.e.State != kiosk.StateComplete || !slices.Contains(w.all, intake.Effect(intake.Seal{Kind: kiosk.PackageEncounter})) {
		t.Fatalf("state %s, effects %v", w.e.State, w.all)
	}
	w.must(officer, kiosk.SealedDone{})
	for _, k := range []kiosk.ReceiptKind{kiosk.ReceiptThin, kiosk.ReceiptThin, kiosk.ReceiptComplete, kiosk.ReceiptThin} {
		w.must(officer, kiosk.ReceiptCame{Receipt: kiosk.Receipt{Kind: k, Kiosk: "k-1", Encounter: w.e.ID}})
	}
	w.must(officer, kiosk.PurgedDone{})
	if w.e.State != kiosk.StatePurged {
		t.Fatal(w.e.State)
	}
}

func TestHitIsToldFirstAndCannotBeEscaped(t *testing.T) {
	w := begin(t)
	w.toDecision(1)
	hit := slices.Index(w.all, intake.Effect(intake.SendHit{Search: 2}))
	if hit < 0 || w.all[hit+1] != (intake.Save{}) {
		t.Fatalf("the hub must be told before the state is saved and drawn: %v", w.all)
	}
	w.refused(officer, kiosk.Decided{Decision: kiosk.Decision{Outcome: kiosk.OutcomeEnrol}}, "answer:2/0")
	w.refused(officer, kiosk.Abandoned{Reason: "mistake"}, "second")
	w.refused(officer, kiosk.Abandoned{Reason: "mistake", Second: officer.Label}, "second")
	// A retake adds a search with no candidate; the question stays.
	w.must(officer, iris(kiosk.EyeLeft, "l2", 90), search(kiosk.ScopeSite, 0, 1, 5), search(kiosk.ScopeLists, 0, 1, 5))
	w.must(officer, kiosk.StepConfirmed{Step: kiosk.StepIrises})
	w.refused(officer, kiosk.StepConfirmed{Step: kiosk.StepDecision}, "answer:2/0")
	w.must(officer, kiosk.Abandoned{Reason: "mistake", Second: supervisor.Label})
	if !slices.Contains(w.all, intake.Effect(intake.Seal{Kind: kiosk.PackageAbandoned})) {
		t.Fatal("the abandoned encounter must be sealed and sent")
	}
}

func TestHitIsHeldForASecondPersonWhoAnswersThemself(t *testing.T) {
	w := begin(t)
	w.toDecision(1)
	answer := kiosk.Answered{Answer: kiosk.Answer{Search: 2, Candidate: 0, Verdict: kiosk.VerdictSame}}
	w.must(officer, answer)
	w.refused(officer, answer, "") // a button acts once
	w.must(officer, kiosk.Decided{Decision: kiosk.Decision{Outcome: kiosk.OutcomeRefer, Reason: "watch"}},
		kiosk.StepConfirmed{Step: kiosk.StepDecision}, kiosk.Reviewed{})
	if w.e.State != kiosk.StateHeld || !w.e.Hold.Deadline.Time.Equal(now.Time.Add(4*time.Hour)) {
		t.Fatalf("state %s, hold %+v", w.e.State, w.e.Hold)
	}
	approve := kiosk.SecondAnswered{Second: kiosk.Second{Approved: true}}
	w.refused(officer, approve, "second")
	w.refused(supervisor, approve, "answer:2/0")
	w.must(supervisor, kiosk.Answered{Answer: kiosk.Answer{Search: 2, Candidate: 0, Verdict: kiosk.VerdictUnsure}}, approve)
	if w.e.State != kiosk.StateComplete || !w.e.Answers[1].Second {
		t.Fatalf("state %s, answers %+v", w.e.State, w.e.Answers)
	}
}

func TestNothingPoorPassesSilently(t *testing.T) {
	w := begin(t)
	w.refused(officer, iris(kiosk.EyeLeft, "l1", 20), "reason")
	poor := iris(kiosk.EyeLeft, "l1", 20)
	poor.Capture.Below = "inflamed"
	w.must(officer, poor)
	w.refused(officer, kiosk.StepConfirmed{Step: kiosk.StepIrises}, "capture:right")
	w.refused(officer, kiosk.Excepted{Exception: kiosk.Exception{Modality: kiosk.ModalityIris, Eye: kiosk.EyeRight, Reason: kiosk.ExceptRefuses}}, "words")
	w.must(officer, kiosk.Excepted{Exception: kiosk.Exception{Modality: kiosk.ModalityIris, Eye: kiosk.EyeRight, Reason: kiosk.ExceptProsthetic}},
		search(kiosk.ScopeSite, 0, 1), search(kiosk.ScopeLists, 0, 1), kiosk.StepConfirmed{Step: kiosk.StepIrises})
	if w.e.Step(kiosk.StepIrises).State != kiosk.StepExcepted {
		t.Fatal(w.e.Steps)
	}
	w.refused(officer, kiosk.Reviewed{}, "step:document")
	w.refused(officer, kiosk.Identified{Identity: kiosk.Identity{Surname: kiosk.Field{Value: "0RTIZ", Status: kiosk.FieldDoubtful}}}, "look:surname")

	// Two sources that disagree want an answer, and an answer is what holds.
	who := cleanIdentity.Identity
	page := who.Surname
	page.Value, page.Source = "ORTEZ", kiosk.SourcePage
	for _, c := range []struct {
		chosen int
		value  string
		refuse bool
	}{{-1, who.Surname.Value, true}, {2, "ORTEZ", true}, {1, who.Surname.Value, true}, {0, who.Surname.Value, false}, {1, "ORTEZ", false}} {
		id := who
		id.Surname.Value = c.value
		id.Disagreements = []kiosk.Disagreement{{Field: "surname", Values: []kiosk.Field{who.Surname, page}, Chosen: c.chosen}}
		if missing := intake.Unlooked(&id); (len(missing) > 0) != c.refuse {
			t.Errorf("answer %d with %s: %v", c.chosen, c.value, missing)
		}
		if c.refuse {
			w.refused(officer, kiosk.Identified{Identity: id}, "disagreement:surname")
		} else {
			w.must(officer, kiosk.Identified{Identity: id})
		}
	}
	if d := w.e.Identity.Disagreements; len(d) != 1 || d[0].Values[0].Value != who.Surname.Value || w.e.Identity.Surname.Value != "ORTEZ" {
		t.Errorf("both values are not in the record: %+v", w.e.Identity)
	}
}

func TestYoungerBandDestroysWhatItForbids(t *testing.T) {
	w := begin(t)
	w.must(officer, iris(kiosk.EyeRight, "r1", 80), search(kiosk.ScopeSite, 1, 1))
	birth := kiosk.Identified{Identity: kiosk.Identity{Surname: kiosk.Field{Note: intake.Looked}, Birth: kiosk.Field{Value: "2010-05-XX", Status: kiosk.FieldChecked}}}
	w.must(officer, birth)
	if c := w.e.Captures[0]; !c.Cleared || c.Template != nil {
		t.Fatalf("the capture remains: %+v", c)
	}
	if w.e.State != kiosk.StateStopped || w.e.Arrival.Band != kiosk.Band14To17 {
		t.Fatalf("state %s, captures %v, band %s", w.e.State, w.e.Captures, w.e.Arrival.Band)
	}
	if !w.e.Hit() {
		t.Fatal("the hit is gone")
	}
	dropped := slices.ContainsFunc(w.all, func(x intake.Effect) bool {
		d, ok := x.(intake.DropImages)
		return ok && slices.Equal(d.Parts, []string{"r1"})
	})
	if !dropped {
		t.Fatalf("the image was not destroyed: %v", w.all)
	}
	w.refused(officer, iris(kiosk.EyeRight, "r2", 80), "")
	// Parking and resuming is no way around confirming the arrival again.
	w.must(officer, kiosk.Parked{Reason: kiosk.ParkMedical}, kiosk.Resumed{Wristband: "0417"})
	w.refused(officer, kiosk.StepConfirmed{Step: kiosk.StepArrival}, "")
	minor := arrival(kiosk.Band14To17)
	w.refused(officer, kiosk.Arrived{Arrival: minor}, "")
	minor.Guardian = "mother, present"
	w.must(officer, kiosk.Arrived{Arrival: minor})
	if w.e.State != kiosk.StateDraft || w.e.Step(kiosk.StepIrises).State != kiosk.StepByRule {
		t.Fatalf("state %s, steps %v", w.e.State, w.e.Steps)
	}
	w.refused(officer, kiosk.Excepted{Exception: kiosk.Exception{Modality: kiosk.ModalityIris, Eye: kiosk.EyeLeft, Reason: kiosk.ExceptMissing}}, "")
}

func TestResumeAsksForTheSamePerson(t *testing.T) {
	w := begin(t)
	w.must(officer, iris(kiosk.EyeRight, "r1", 80), kiosk.Parked{Reason: kiosk.ParkUnclean})
	w.refused(officer, iris(kiosk.EyeLeft, "l1", 80), "")
	w.refused(officer, kiosk.Resumed{Wristband: "0999"}, "wristband")
	w.refused(officer, kiosk.Resumed{Wristband: "0417"}, "comparison")
	w.refused(officer, kiosk.Resumed{Wristband: "0417", Supervisor: "su-1"}, "supervisor")
	other := *w
	other.must(officer, kiosk.Resumed{Wristband: "0417", Comparison: &kiosk.Search{}})
	if other.e.State != kiosk.StateParked || !slices.Contains(other.all, intake.Effect(intake.BeginAnother{Continues: w.e.ID})) {
		t.Fatalf("a different person continued the draft: %s", other.e.State)
	}
	w.must(officer, kiosk.Resumed{Wristband: "0417", Comparison: &kiosk.Search{}, Same: true})
	if w.e.State != kiosk.StateDraft {
		t.Fatal(w.e.State)
	}
}

func TestAPageThatNobodyCanReadDoesNotPassSilently(t *testing.T) {
	w := begin(t)
	w.must(officer, kiosk.Captured{Capture: kiosk.Capture{Modality: kiosk.ModalityDocument, Part: "p1"}})
	w.refused(officer, kiosk.StepConfirmed{Step: kiosk.StepDocument}, "capture:document")
	w.must(officer, kiosk.Excepted{Exception: kiosk.Exception{Modality: kiosk.ModalityDocument, Reason: kiosk.ExceptUnreadable}},
		kiosk.StepConfirmed{Step: kiosk.StepDocument})
	w.refused(officer, kiosk.Identified{}, "look:surname")
	w.refused(officer, kiosk.Identified{Identity: kiosk.Identity{Surname: kiosk.Field{Value: "A"}}}, "look:birth")
	w.must(officer, kiosk.Identified{Identity: kiosk.Identity{Surname: kiosk.Field{Note: intake.Looked}, Birth: kiosk.Field{Source: kiosk.SourceOfficer}}})
}

// TestAChangedAgreementStrandsNobody: whatever was open goes on, under the old
// one where everything was done, from the arrival where it was not.
func TestAChangedAgreementStrandsNobody(t *testing.T) {
	w := begin(t)
	w.must(officer, iris(kiosk.EyeRight, "r1", 80), kiosk.Parked{Reason: kiosk.ParkMedical})
	w.r.Digest = "d2"
	w.must(officer, kiosk.Resumed{Wristband: "0417", Comparison: &kiosk.Search{}, Same: true})
	w.refused(officer, iris(kiosk.EyeLeft, "l1", 80), "")
	w.must(officer, kiosk.Arrived{Arrival: arrival(kiosk.BandAdult)}, iris(kiosk.EyeLeft, "l1", 80))
	if w.e.Agreement != "d2" || w.e.Best(kiosk.EyeRight) == nil {
		t.Fatalf("agreement %s, captures %v", w.e.Agreement, w.e.Captures)
	}

	w = begin(t)
	w.toDecision(1)
	w.must(officer, kiosk.Answered{Answer: kiosk.Answer{Search: 2, Candidate: 0, Verdict: kiosk.VerdictSame}},
		kiosk.Decided{Decision: kiosk.Decision{Outcome: kiosk.OutcomeRefer}}, kiosk.StepConfirmed{Step: kiosk.StepDecision}, kiosk.Reviewed{})
	w.r.Digest = "d2" // while it is held
	w.must(supervisor, kiosk.Answered{Answer: kiosk.Answer{Search: 2, Candidate: 0, Verdict: kiosk.VerdictSame}},
		kiosk.SecondAnswered{Second: kiosk.Second{Approved: true}})
	if w.e.State != kiosk.StateComplete || w.e.Agreement != "d1" {
		t.Fatalf("%s under %s", w.e.State, w.e.Agreement)
	}
	w = begin(t)
	w.r.Digest = "d2"
	w.must(officer, kiosk.Abandoned{Reason: "left"})
}

func TestAnIncompleteSearchIsNotASearch(t *testing.T) {
	w := begin(t)
	w.must(officer, iris(kiosk.EyeRight, "r1", 80), iris(kiosk.EyeLeft, "l1", 80), search(kiosk.ScopeSite, 0, 1, 2))
	cut := search(kiosk.ScopeLists, 0, 1, 2)
	cut.Search.Compared, cut.Search.Complete = 1, false
	w.must(officer, cut)
	w.refused(officer, kiosk.StepConfirmed{Step: kiosk.StepIrises}, "search:lists")
	w.must(officer, search(kiosk.ScopeLists, 0, 1, 2), kiosk.StepConfirmed{Step: kiosk.StepIrises})
}

func TestWhoMayActAndUnderWhat(t *testing.T) {
	w := &walker{t: t, r: rules()}
	w.refused(technician, kiosk.Began{Visit: kiosk.VisitIntake, Kiosk: "k-1"}, "")
	w.refused(officer, iris(kiosk.EyeLeft, "l1", 80), "")
	w.r.Agreement.Expires = now.Time
	w.refused(officer, kiosk.Began{Visit: kiosk.VisitIntake, Kiosk: "k-1"}, "")

	w = begin(t)
	w.r.Digest = "d2" // a new agreement came down
	w.refused(officer, iris(kiosk.EyeLeft, "l1", 80), "arrival")
	w.must(officer, kiosk.Arrived{Arrival: arrival(kiosk.BandAdult)}, iris(kiosk.EyeLeft, "l1", 80))

	w.e.Training = false
	virtual := iris(kiosk.EyeRight, "r1", 80)
	virtual.Capture.Provenance.Virtual = true
	w.refused(officer, virtual, "")
}

func TestRefusalReadsAsASentence(t *testing.T) {
	w := begin(t)
	_, _, err := w.r.Apply(w.e, iris(kiosk.EyeLeft, "l", 3), officer, now)
	if err == nil || !strings.Contains(err.Error(), "take it again") {
		t.Fatal(err)
	}
}
