package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"tambo/kiosk"
	"tambo/kiosk/capture"
	"tambo/kiosk/document"
	"tambo/kiosk/intake"
	"tambo/kiosk/session"
)

// enrolled is what one enrolment came to.
type enrolled struct {
	encounter kiosk.Encounter
	found     []kiosk.Candidate
}

// enrol walks one person through a prison intake, as an officer would: with
// nothing known beforehand about what the searches will say.
func (w *walk) enrol(ctx context.Context, person string, visit int, wristband, page string) (enrolled, error) {
	var got enrolled
	if err := w.bring(person, visit, page); err != nil {
		return got, err
	}
	for _, step := range []func(context.Context) error{
		func(ctx context.Context) error { return w.arrive(ctx, wristband) },
		w.irises, w.search, w.document, w.face,
	} {
		if err := step(ctx); err != nil {
			return got, err
		}
	}
	e, _ := w.svc.Current()
	for _, q := range e.Searches {
		got.found = append(got.found, q.Candidates...)
	}
	sealed, err := w.decide(ctx)
	got.encounter = sealed
	return got, err
}

func (w *walk) arrive(ctx context.Context, wristband string) error {
	start := time.Now()
	if _, err := w.svc.Begin(ctx, kiosk.VisitIntake); err != nil {
		return err
	}
	a := &w.agreement
	arr := kiosk.Arrival{
		Wristband: wristband, Authority: a.Authorities[0].Code, Category: a.Categories[0].Code,
		Band: kiosk.BandAdult, BandBasis: kiosk.AgeStated, Language: "es",
		Notice: kiosk.NoticeEvidence{Language: "es", Digest: a.Notice.Digest["es"], Form: kiosk.NoticeRead, At: kiosk.Instant{Time: start.UTC()}},
	}
	e, err := w.svc.Do(ctx, kiosk.Arrived{Arrival: arr})
	if err != nil {
		return err
	}
	w.say("arrival", "wristband %s · %s · notice read in Spanish · may take %s · %s", wristband, a.Authorities[0].Citation, list(e.Modalities), ms(start))
	return nil
}

func (w *walk) irises(ctx context.Context) error {
	start, frames := time.Now(), 0
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	e, err := w.svc.CaptureIrises(ctx, func(p capture.Progress) { frames = p.Frames })
	if errors.Is(err, capture.ErrNotGood) {
		// As an officer would: keep the best with a reason, or say why there is none.
		for _, eye := range kiosk.BothEyes {
			if e.Best(eye) != nil {
				continue
			}
			if e, err = w.svc.KeepBelow(ctx, eye, "best of 30 seconds"); err != nil {
				return err
			}
		}
	}
	if err != nil {
		return err
	}
	w.say("irises", "%s · %s · %d frames · %s", eyeLine(&e, kiosk.EyeRight), eyeLine(&e, kiosk.EyeLeft), frames, ms(start))
	return nil
}

func eyeLine(e *kiosk.Encounter, eye kiosk.Eye) string {
	c := e.Best(eye)
	if c == nil {
		return fmt.Sprintf("%s not captured", eye)
	}
	return fmt.Sprintf("%s %d (floor %d)", eye, c.Quality.Score, c.Quality.Floor)
}

func (w *walk) search(ctx context.Context) error {
	start := time.Now()
	searches, err := w.svc.SearchIrises(ctx)
	if err != nil {
		return err
	}
	took := ms(start)
	for _, q := range searches {
		w.saySearch(q, took)
	}
	_, err = w.svc.Do(ctx, kiosk.StepConfirmed{Step: kiosk.StepIrises})
	return err
}

// saySearch says what a search found, how much it compared, and how rare that
// is in a search of that size.
func (w *walk) saySearch(q kiosk.Search, took string) {
	compared := fmt.Sprintf("compared %d of %d entries", q.Compared, q.Total)
	if !q.Complete {
		compared += ", NOT COMPLETE"
	}
	if len(q.Candidates) == 0 {
		what := "no match here"
		if q.Scope == kiosk.ScopeLists {
			what = "no match in these lists"
		}
		w.say("search", "%s: %s · %s%s · %s", q.Scope, what, compared, ages(q.Lists), took)
		return
	}
	for _, c := range q.Candidates {
		word, detail := "duplicate", fmt.Sprintf("encounter %s", c.Encounter)
		if c.Kind == kiosk.CandidateWatch {
			word, detail = "watchlist", fmt.Sprintf("%s/%s · %s: %s", c.List, c.Entry, c.Instruction.Code, c.Instruction.Text["en"])
		}
		score := "by document number"
		if c.By == kiosk.MatchedIris {
			score = fmt.Sprintf("score %.1f (−log10 FMR, %d eyes), a stranger would do this once in %s such searches", c.LogFMR, c.Eyes, times(c.Strangers))
		}
		w.say("search", "%s: %s · %s · %s%s · %s", word, detail, score, compared, ages(q.Lists), took)
	}
}

func times(n float64) string {
	if n >= 1e6 {
		return fmt.Sprintf("%.0e", n)
	}
	return fmt.Sprintf("%.0f", n)
}

func ages(lists []kiosk.ListAge) string {
	var out []string
	for _, l := range lists {
		out = append(out, fmt.Sprintf("%s v%d, %s old", l.List, l.Version, time.Since(l.Signed.Time).Round(time.Second)))
	}
	if len(out) == 0 {
		return ""
	}
	return " (" + strings.Join(out, "; ") + ")"
}

// doubts are what a scan says of a page that it kept and could not read, or not
// with certainty.
var doubts = []error{capture.ErrNotCertain, document.ErrNoMRZ, document.ErrUnreadable, document.ErrBlank, document.ErrTwoDocuments}

func (w *walk) document(ctx context.Context) error {
	start := time.Now()
	var received int64
	id, err := w.svc.ScanDocument(ctx, func(n int64) { received = n })
	switch {
	case err == nil:
	case !slices.ContainsFunc(doubts, func(d error) bool { return errors.Is(err, d) }):
		return err
	case w.o.pages == "": // a generated page is certain, or the reader is broken
		return fmt.Errorf("the document was not read with certainty: %w", err)
	case errors.Is(err, capture.ErrNotCertain):
		w.say("document", "%s", err) // the officer compares the marked fields with the page
	default: // the page is kept, with the reason why nothing was read from it
		w.say("document", "%s", err)
		x := kiosk.Exception{Modality: kiosk.ModalityDocument, Reason: kiosk.ExceptUnreadable}
		if _, err := w.svc.Do(ctx, kiosk.Excepted{Exception: x}); err != nil {
			return err
		}
		w.say("exception", "%s: %s", x.Modality, x.Reason)
	}
	looked := lookAtDoubts(&id)
	w.say("document", "%s %s · %s bytes · %d fields wanted a look · %s · %s", id.DocumentType.Value, id.DocumentNumber.Value, thousands(received), looked, compared(&id), ms(start))
	for _, ev := range []kiosk.Event{
		kiosk.StepConfirmed{Step: kiosk.StepDocument}, kiosk.Identified{Identity: id}, kiosk.StepConfirmed{Step: kiosk.StepIdentity},
	} {
		if _, err := w.svc.Do(ctx, ev); err != nil {
			return err
		}
	}
	w.say("identity", "%s, %s · born %s · %s", id.Surname.Value, id.Given.Value, id.Birth.Value, id.Nationality.Value)
	return nil
}

// face takes a face photo; the best of the time is kept with a reason, as an
// officer would.
func (w *walk) face(ctx context.Context) error {
	start, frames := time.Now(), 0
	limited, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	e, err := w.svc.CaptureFace(limited, func(p session.FaceProgress) { frames = p.Frames })
	if errors.Is(err, capture.ErrNotGood) {
		e, err = w.svc.KeepFace(ctx, false, "best of 30 seconds")
	}
	if err != nil {
		return err
	}
	p := e.Photo()
	w.say("face", "photo %d (floor %d) · %d×%d · %d frames · %s", p.Quality.Score, p.Quality.Floor, p.Width, p.Height, frames, ms(start))
	_, err = w.svc.Do(ctx, kiosk.StepConfirmed{Step: kiosk.StepFace})
	return err
}

// compared says how the print on the page stands to what its zone says.
func compared(id *kiosk.Identity) string {
	agree, of := session.Compared(id)
	if of == 0 {
		return "not compared with the page's print"
	}
	return fmt.Sprintf("%d of %d fields agree with the page", agree, of)
}

// lookAtDoubts is the officer comparing each marked field with the page and
// letting it stand, and saying that a name or a birth date is not known.
func lookAtDoubts(id *kiosk.Identity) int {
	n := 0
	for _, f := range []*kiosk.Field{&id.Surname, &id.Given, &id.Birth, &id.Sex, &id.Nationality, &id.DocumentType, &id.DocumentNumber, &id.Issuer, &id.Expiry} {
		switch f.Status {
		case kiosk.FieldDoubtful, kiosk.FieldMismatch, kiosk.FieldMalformed:
			*f = session.Look(*f, f.Value)
			n++
		}
	}
	for i := range id.Disagreements { // between zone and print: the zone has check digits
		d := &id.Disagreements[i]
		d.Chosen = max(slices.IndexFunc(d.Values, func(v kiosk.Field) bool { return v.Source == kiosk.SourceMRZ }), 0)
		n++
	}
	for _, f := range []*kiosk.Field{&id.Surname, &id.Birth} {
		if f.Value == "" && f.Note != intake.Looked {
			*f = session.Look(*f, "")
			n++
		}
	}
	return n
}

// decide answers every candidate, decides, and seals; a second person answers
// where the agreement wants one.
func (w *walk) decide(ctx context.Context) (kiosk.Encounter, error) {
	start := time.Now()
	e, _ := w.svc.Current()
	outcome := kiosk.OutcomeEnrol
	second := map[[2]int]kiosk.Verdict{}
	for _, q := range e.Searches {
		for c := range q.Candidates {
			if _, err := w.svc.Do(ctx, kiosk.Answered{Answer: kiosk.Answer{Search: q.ID, Candidate: c, Verdict: kiosk.VerdictSame}}); err != nil {
				return e, err
			}
			second[[2]int{q.ID, c}] = kiosk.VerdictSame
			if q.Candidates[c].Kind == kiosk.CandidateWatch {
				outcome = kiosk.OutcomeRefer
			}
		}
	}
	for _, ev := range []kiosk.Event{kiosk.Decided{Decision: kiosk.Decision{Outcome: outcome}}, kiosk.StepConfirmed{Step: kiosk.StepDecision}} {
		if _, err := w.svc.Do(ctx, ev); err != nil {
			return e, err
		}
	}
	w.say("decision", "%s · %d answers · %s", outcome, len(second), ms(start))
	start = time.Now()
	e, err := w.svc.Do(ctx, kiosk.Reviewed{})
	if err != nil {
		return e, err
	}
	if e.State == kiosk.StateHeld {
		w.say("held", "for a second person: %s · until %s", list(e.Hold.Reasons), e.Hold.Deadline.Time.Format("15:04 MST"))
		if e, err = w.svc.Second(ctx, e.ID, supervisorLabel, []byte(supervisorPassword), second, kiosk.Second{Approved: true}); err != nil {
			return e, err
		}
		w.say("second", "%s approved", supervisorLabel)
	}
	if e.State != kiosk.StateSealed {
		return e, fmt.Errorf("the encounter is %s, not sealed", e.State)
	}
	for _, x := range w.outbox(ctx) {
		if x.Encounter == e.ID && x.Kind == kiosk.PackageEncounter {
			w.say("sealed", "%s · %s bytes · %s", e.ID, thousands(x.Bytes), ms(start))
		}
	}
	return e, nil
}

func list[T ~string](xs []T) string {
	s := make([]string, len(xs))
	for i, x := range xs {
		s[i] = string(x)
	}
	return strings.Join(s, ", ")
}

func thousands(n int64) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + " " + s[i:]
	}
	return s
}
