package intake

import (
	"slices"

	"tambo/kiosk"
	"tambo/kiosk/policy"
)

func (s *step) began(ev kiosk.Began) error {
	if err := ev.Kiosk.Validate(); err != nil {
		return s.because(err, "the kiosk has no name")
	}
	steps, err := policy.Steps(&s.rules.Agreement, ev.Visit, nil)
	if err != nil {
		return s.because(err, "this visit cannot begin")
	}
	if len(steps) == 0 || steps[0].Kind != kiosk.StepArrival {
		return s.refuse("the agreement's walk does not begin with the arrival")
	}
	s.e = kiosk.Encounter{
		ID: s.e.ID, Kiosk: ev.Kiosk, Site: ev.Site, Visit: ev.Visit,
		State: kiosk.StateDraft, Agreement: s.rules.Digest, Training: s.rules.Agreement.Training,
		Begun: s.at, By: s.by.Label, Steps: steps[:1], At: kiosk.StepArrival,
		Continues: s.e.Continues,
	}
	if s.e.ID == "" {
		s.e.ID = kiosk.NewEncounterID()
	}
	s.note = string(ev.Visit)
	s.do(Save{})
	return nil
}

// arrived takes the facts that come before any capture, and computes from them
// what may be captured. Coming again with a younger band, or under a new
// agreement, it stops the machine if something already taken is now forbidden.
func (s *step) arrived(ev kiosk.Arrived) error {
	a := &s.rules.Agreement
	if err := policy.InForce(a, s.at.Time); err != nil {
		return s.because(err, "the arrival cannot be confirmed")
	}
	if ev.Arrival.Wristband == "" {
		return s.refuse("the wristband number is missing", "wristband")
	}
	if _, err := policy.Authority(a, ev.Arrival.Authority, s.at.Time); err != nil {
		return s.because(err, "choose the legal authority")
	}
	if err := policy.Notice(a, ev.Arrival.Notice); err != nil {
		return s.because(err, "the person has not been told")
	}
	permitted, err := policy.Modalities(a, &ev.Arrival)
	if err != nil {
		return s.because(err, "this person may not be enrolled so")
	}
	steps, err := policy.Steps(a, s.e.Visit, permitted)
	if err != nil {
		return s.because(err, "this visit is not in the agreement")
	}
	for i := range steps {
		if old := s.e.Step(steps[i].Kind); old != nil && steps[i].State == kiosk.StepOpen && old.State != kiosk.StepByRule {
			steps[i].State = old.State
		}
	}
	s.e.Arrival, s.e.Modalities, s.e.Steps = ev.Arrival, permitted, steps
	s.e.Agreement, s.e.Training = s.rules.Digest, a.Training
	s.e.State = kiosk.StateDraft
	if dropped := s.destroyForbidden(); dropped {
		return nil // stopped; the officer confirms again, knowing
	}
	s.setStep(kiosk.StepArrival, kiosk.StepDone)
	s.advance(kiosk.StepArrival)
	s.do(Save{})
	return nil
}

// destroyForbidden destroys captures whose modality is no longer permitted,
// with their templates, and stops the machine if there were any. That they were
// taken and destroyed stays on record, and so does what a search found: it is an
// event that has travelled. The state is saved before the images go, so that what
// the new key covers no longer holds the templates.
func (s *step) destroyForbidden() bool {
	var parts []string
	for i := range s.e.Captures {
		if c := &s.e.Captures[i]; !c.Cleared && !s.e.Permits(c.Modality) {
			parts = append(parts, c.Part)
			withdraw(c)
		}
	}
	if len(parts) == 0 {
		return false
	}
	s.e.State, s.e.At = kiosk.StateStopped, kiosk.StepArrival
	s.setStep(kiosk.StepArrival, kiosk.StepOpen)
	s.note = "stopped: captures destroyed that are not permitted"
	s.do(Save{}, DropImages{Parts: parts})
	return true
}

// withdraw leaves of a capture that it was taken, and nothing of what it
// showed.
func withdraw(c *kiosk.Capture) {
	c.Cleared, c.Template, c.Earlier, c.Annotation = true, nil, nil, ""
	c.Quality.Vector, c.Quality.Attack = nil, nil
}

// identified takes the identity. Every disagreement must be answered and every
// field that is not certain must have been looked at. A birth date that makes
// the person younger than the arrival said stops the machine.
func (s *step) identified(ev kiosk.Identified) error {
	if s.e.Step(kiosk.StepIdentity) == nil {
		return s.refuse("this walk has no identity step")
	}
	missing := Unlooked(&ev.Identity)
	if len(missing) > 0 {
		return s.refuse("some fields want a look and an answer first", missing...)
	}
	s.e.Identity = ev.Identity
	if band := policy.BandAt(ev.Identity.Birth.Value, s.at.Time); band != kiosk.BandUnknown && policy.Younger(band, s.e.Arrival.Band) {
		return s.younger(band)
	}
	s.do(Save{})
	return nil
}

// Unlooked lists, as stable codes, what an identity still wants before it can
// be confirmed: an answer to each disagreement ("disagreement:birth"), a look at
// each field that is not certain ("look:surname").
func Unlooked(i *kiosk.Identity) []string {
	var missing []string
	for _, d := range i.Disagreements {
		if d.Chosen < 0 || d.Chosen >= len(d.Values) {
			missing = append(missing, "disagreement:"+d.Field)
			continue
		}
		for _, f := range identityFields(i) { // an answer is what holds, or it is none
			if f.name == d.Field && f.field.Value != d.Values[d.Chosen].Value {
				missing = append(missing, "disagreement:"+d.Field)
			}
		}
	}
	for _, f := range identityFields(i) {
		switch f.field.Status {
		case kiosk.FieldDoubtful, kiosk.FieldMismatch, kiosk.FieldMalformed:
			if f.field.Note != Looked {
				missing = append(missing, "look:"+f.name)
			}
		}
	}
	// Unknown names and birth dates are normal; that they are unknown is said by
	// the officer, not by silence.
	silent := func(f kiosk.Field) bool {
		return f.Value == "" && f.Note != Looked && f.Source != kiosk.SourceOfficer
	}
	if silent(i.Surname) && i.Given.Value == "" && !slices.Contains(missing, "look:surname") {
		missing = append(missing, "look:surname")
	}
	if silent(i.Birth) && !slices.Contains(missing, "look:birth") {
		missing = append(missing, "look:birth")
	}
	return missing
}

// Looked is the note that a field carries once a person has looked at it and
// let it stand.
const Looked = "looked at"

func (s *step) younger(band kiosk.AgeBand) error {
	s.e.Arrival.Band, s.e.Arrival.BandBasis = band, kiosk.AgeDocument
	s.note = "age band: " + string(band)
	permitted, err := policy.Modalities(&s.rules.Agreement, &s.e.Arrival)
	if err != nil {
		permitted = nil // nothing may be taken of this person, or a guardian is missing
	}
	steps, err := policy.Steps(&s.rules.Agreement, s.e.Visit, permitted)
	if err != nil {
		return s.because(err, "this visit is not in the agreement")
	}
	s.e.Modalities, s.e.Steps = permitted, steps
	if !s.destroyForbidden() {
		s.e.State, s.e.At = kiosk.StateStopped, kiosk.StepArrival
		s.do(Save{})
	}
	return nil
}

type namedField struct {
	name  string
	field *kiosk.Field
}

func identityFields(i *kiosk.Identity) []namedField {
	return []namedField{
		{"surname", &i.Surname}, {"given", &i.Given}, {"birth", &i.Birth}, {"sex", &i.Sex},
		{"nationality", &i.Nationality}, {"documentType", &i.DocumentType},
		{"documentNumber", &i.DocumentNumber}, {"issuer", &i.Issuer}, {"expiry", &i.Expiry},
	}
}
