package intake_test

import (
	"encoding/json"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"tambo/kiosk"
	"tambo/kiosk/intake"
)

// TestRandomWalks drives the machine with random events, sensible and absurd,
// by random people, and checks its guarantees after each.
func TestRandomWalks(t *testing.T) {
	sealed, held := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		r := rules()
		var e kiosk.Encounter
		told, hits := map[int]bool{}, 0
		destroyed := map[string]bool{}
		for range rapid.IntRange(5, 60).Draw(t, "length") {
			ev, by := randomEvent(t, &e), rapid.SampledFrom([]kiosk.Operator{officer, officer, officer, supervisor, technician}).Draw(t, "by")
			r.Digest = rapid.SampledFrom([]string{"d1", "d1", "d1", "d1", "d1", "d1", "d1", "d2"}).Draw(t, "agreement")
			before, _ := json.Marshal(e)
			next, fx, err := r.Apply(e, ev, by, now)
			if after, _ := json.Marshal(e); string(after) != string(before) {
				t.Fatalf("%s modified the encounter that it was given", ev.Name())
			}
			if err != nil {
				continue
			}
			e = next
			checkEffects(t, &e, ev, fx, told, destroyed)
			checkEncounter(t, &e, told, destroyed, &hits)
			if e.State == kiosk.StateSealed {
				sealed++
			}
			if e.State == kiosk.StateHeld {
				held++
			}
		}
	})
	if sealed == 0 || held == 0 {
		t.Fatalf("the walks are too short to mean anything: %d sealed, %d held", sealed, held)
	}
	t.Logf("walks reached sealed %d times, held %d times", sealed, held)
}

func checkEffects(t *rapid.T, e *kiosk.Encounter, ev kiosk.Event, fx []intake.Effect, told map[int]bool, destroyed map[string]bool) {
	saved := false
	for _, x := range fx {
		switch x := x.(type) {
		case intake.SendHit:
			if saved {
				t.Fatal("the hub is told after the result could be drawn")
			}
			told[x.Search] = true
		case intake.Save:
			saved = true
		case intake.Discard:
			if e.Hit() {
				t.Fatal("an encounter with a hit was discarded")
			}
		case intake.DropImages:
			for _, p := range x.Parts {
				destroyed[p] = true
			}
		case intake.Seal:
			if !saved {
				t.Fatal("sealed before it was saved")
			}
			if x.Kind == kiosk.PackageEncounter {
				for _, s := range e.Steps {
					if s.State == kiosk.StepOpen {
						t.Fatalf("sealed with step %s open", s.Kind)
					}
				}
			}
		}
	}
	switch ev.(type) {
	case kiosk.SealedDone, kiosk.ReceiptCame, kiosk.PurgedDone:
	default:
		if !saved && e.State != kiosk.StateAbandoned {
			t.Fatalf("%s was accepted and not saved", ev.Name())
		}
	}
}

func checkEncounter(t *rapid.T, e *kiosk.Encounter, told map[int]bool, destroyed map[string]bool, hits *int) {
	n := 0
	for _, q := range e.Searches {
		if len(q.Candidates) > 0 {
			n++
			if !told[q.ID] {
				t.Fatalf("search %d found somebody and the hub was not told", q.ID)
			}
		}
	}
	if n < *hits {
		t.Fatal("a hit was taken back")
	}
	*hits = n
	for i, r := range e.Events {
		if r.Seq != i+1 {
			t.Fatalf("events have a gap at %d", i)
		}
	}
	seen := map[kiosk.CaptureID]bool{}
	for _, c := range e.Captures {
		if !c.Cleared && !e.Permits(c.Modality) {
			t.Fatalf("%s is held and not permitted", c.Modality)
		}
		if seen[c.ID] {
			t.Fatalf("capture number %d was given twice", c.ID)
		}
		seen[c.ID] = true
		if c.Cleared && (c.Template != nil || !destroyed[c.Part]) {
			t.Fatalf("capture %d was cleared and remains", c.ID)
		}
		if c.Quality.Score < c.Quality.Floor && c.Below == "" {
			t.Fatal("a poor capture passed silently")
		}
	}
	if e.State == kiosk.StateSealed && !slices.Contains([]string{"sealed"}, e.Events[len(e.Events)-1].Name) && e.Events[len(e.Events)-1].Name != "receipt came" {
		t.Fatalf("sealed and still worked on: %v", e.Events[len(e.Events)-1])
	}
}

// randomEvent leans towards the next sensible act, so that walks get far.
func randomEvent(t *rapid.T, e *kiosk.Encounter) kiosk.Event {
	if e.ID == "" {
		return kiosk.Began{Visit: kiosk.VisitIntake, Site: "north", Kiosk: "k-1"}
	}
	if rapid.IntRange(0, 9).Draw(t, "sensible") < 6 {
		if ev := sensible(t, e); ev != nil {
			return ev
		}
	}
	eye := rapid.SampledFrom(kiosk.BothEyes[:]).Draw(t, "eye")
	steps := []kiosk.StepKind{kiosk.StepArrival, kiosk.StepIrises, kiosk.StepDocument, kiosk.StepIdentity, kiosk.StepFace, kiosk.StepDecision, kiosk.StepReview}
	step := rapid.SampledFrom(steps).Draw(t, "step")
	id := kiosk.CaptureID(rapid.IntRange(0, 6).Draw(t, "capture"))
	band := rapid.SampledFrom([]kiosk.AgeBand{kiosk.BandAdult, kiosk.BandAdult, kiosk.Band14To17, kiosk.BandUnder14, kiosk.BandUnknown}).Draw(t, "band")
	arr := arrival(band)
	arr.Guardian = rapid.SampledFrom([]string{"", "aunt"}).Draw(t, "guardian")
	low := iris(eye, part(e), rapid.IntRange(0, 100).Draw(t, "score"))
	low.Capture.Below = rapid.SampledFrom([]string{"", "swollen"}).Draw(t, "below")
	young := kiosk.Identified{Identity: kiosk.Identity{Surname: kiosk.Field{Note: intake.Looked}, Birth: kiosk.Field{Value: "2011-03-04", Status: kiosk.FieldChecked}}}
	ans := kiosk.Answer{Search: rapid.IntRange(0, 4).Draw(t, "search"), Candidate: rapid.IntRange(0, 1).Draw(t, "candidate"), Verdict: rapid.SampledFrom([]kiosk.Verdict{"", kiosk.VerdictSame, kiosk.VerdictUnsure}).Draw(t, "verdict")}
	return rapid.SampledFrom([]kiosk.Event{
		kiosk.Arrived{Arrival: arr}, low, kiosk.Cleared{Capture: id}, kiosk.Annotated{Capture: id, Text: "x"},
		kiosk.Excepted{Exception: kiosk.Exception{Modality: kiosk.ModalityIris, Eye: eye, Reason: kiosk.ExceptBandaged}},
		search(kiosk.ScopeSite, rapid.IntRange(0, 2).Draw(t, "hits"), id), young, cleanIdentity,
		kiosk.Answered{Answer: ans}, kiosk.Decided{Decision: kiosk.Decision{Outcome: kiosk.OutcomeEnrol}},
		kiosk.StepConfirmed{Step: step}, kiosk.WentTo{Step: step}, kiosk.Parked{Reason: kiosk.ParkMedical}, kiosk.Reviewed{},
		kiosk.Resumed{Wristband: "0417"}, kiosk.Resumed{Wristband: "0417", Comparison: &kiosk.Search{}},
		kiosk.SecondAnswered{Second: kiosk.Second{Approved: rapid.Bool().Draw(t, "approve"), Reason: "again"}},
		kiosk.Abandoned{Reason: "left", Second: rapid.SampledFrom([]string{"", "of-1", "su-1"}).Draw(t, "second")},
		kiosk.SealedDone{}, kiosk.ReceiptCame{Receipt: kiosk.Receipt{Kind: kiosk.ReceiptComplete, Kiosk: "k-1", Encounter: e.ID}}, kiosk.PurgedDone{},
	}).Draw(t, "event")
}

func part(e *kiosk.Encounter) string { return "part-" + string(rune('a'+len(e.Events))) }

func sensible(t *rapid.T, e *kiosk.Encounter) kiosk.Event {
	switch e.State {
	case kiosk.StateParked:
		return kiosk.Resumed{Wristband: e.Arrival.Wristband, Comparison: &kiosk.Search{}, Same: true}
	case kiosk.StateComplete:
		return kiosk.SealedDone{}
	case kiosk.StateStopped:
		arr := arrival(e.Arrival.Band)
		arr.Guardian = "aunt"
		return kiosk.Arrived{Arrival: arr}
	case kiosk.StateHeld:
		for _, q := range e.Searches {
			for c := range q.Candidates {
				if rapid.Bool().Draw(t, "this one") {
					return kiosk.Answered{Answer: kiosk.Answer{Search: q.ID, Candidate: c, Verdict: kiosk.VerdictSame}}
				}
			}
		}
		return kiosk.SecondAnswered{Second: kiosk.Second{Approved: true}}
	}
	if miss := intake.Missing(e, e.At); len(miss) > 0 {
		switch m := miss[0]; {
		case m == "arrival":
			return kiosk.Arrived{Arrival: arrival(kiosk.BandAdult)}
		case m == "capture:right":
			return iris(kiosk.EyeRight, part(e), 80)
		case m == "capture:left":
			return iris(kiosk.EyeLeft, part(e), 80)
		case m == "search:site" || m == "search:lists":
			var ids []kiosk.CaptureID
			for _, eye := range kiosk.BothEyes {
				if c := e.Best(eye); c != nil {
					ids = append(ids, c.ID)
				}
			}
			return search(kiosk.Scope(m[len("search:"):]), rapid.SampledFrom([]int{0, 0, 1}).Draw(t, "found"), ids...)
		case m == "capture:document":
			return kiosk.Captured{Capture: kiosk.Capture{Modality: kiosk.ModalityDocument, Part: part(e), Read: true}}
		case m == "capture:face":
			return photo(part(e), 80)
		case m == "identity":
			return cleanIdentity
		case m == "decision":
			return kiosk.Decided{Decision: kiosk.Decision{Outcome: kiosk.OutcomeEnrol}}
		}
		for _, q := range e.Searches {
			for c := range q.Candidates {
				if rapid.Bool().Draw(t, "answer this") {
					return kiosk.Answered{Answer: kiosk.Answer{Search: q.ID, Candidate: c, Verdict: kiosk.VerdictDifferent}}
				}
			}
		}
		return nil
	}
	if e.At == kiosk.StepReview {
		return kiosk.Reviewed{}
	}
	return kiosk.StepConfirmed{Step: e.At}
}
