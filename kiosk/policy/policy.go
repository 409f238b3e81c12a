// Package policy answers what an agreement permits: who may be enrolled now,
// with which modalities, in which steps, when a second person is needed, how
// certain a match must be, and when a record may be destroyed.
//
// It is pure: the agreement, the facts and the time come in, an answer or a
// refusal comes out. It never reads a clock, a file or a key, and it verifies no
// signature (store/seal does). Both the kiosk and the hub ask it, so that both
// enforce the same rules.
package policy

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"tambo/kiosk"
)

// Refusals. Each is wrapped with what to do.
var (
	ErrNotYet     = errors.New("the agreement is not in force yet")
	ErrExpired    = errors.New("the agreement has expired: enrolment is closed; admit on paper, and load a new agreement from the hub or a stick")
	ErrAgreement  = errors.New("the agreement is not usable")
	ErrAuthority  = errors.New("no such legal authority in force")
	ErrNotAllowed = errors.New("the agreement does not allow this")
)

// Check reports ErrAgreement, with every fault found, unless the agreement is
// whole: it must say who, why, under which law, for whom, for how long and how
// to object, and a machine match must end with a person.
func Check(a *kiosk.Agreement) error {
	var faults []error
	need := func(ok bool, what string) {
		if !ok {
			faults = append(faults, errors.New(what))
		}
	}
	need(a.ID != "", "it has no id")
	need(a.Version > 0, "it has no version")
	need(a.NotBefore.Before(a.Expires), "it expires before it begins")
	need(len(a.Parties) > 0, "it names no party")
	need(len(a.Purposes) > 0, "it names no purpose")
	need(len(a.Authorities) > 0, "it names no legal authority")
	need(len(a.Categories) > 0, "it names no category of subject")
	need(len(a.Visits) > 0, "it names no kind of visit")
	need(a.HumanReview, "it leaves a match to the machine alone")
	need(len(a.Redress.Contact) > 0, "it does not say how to object")
	need(a.Retention.Hub > 0, "it sets no retention at the hub")
	need(a.Matching.SearchFPIR > 0 && a.Matching.SearchFPIR <= 0.01, "its search threshold is not between 0 and 0.01 false positives a search")
	need(a.Matching.VerifyFMR > 0 && a.Matching.VerifyFMR <= 0.001, "its verification threshold is not between 0 and 0.001")
	need(a.Floors.Iris >= 0 && a.Floors.Iris <= 100, "its iris floor is not between 0 and 100")
	need(a.Floors.Face >= 0 && a.Floors.Face <= 100, "its face floor is not between 0 and 100")
	need(len(a.Notice.Text) > 0, "it has no notice")
	for lang, text := range a.Notice.Text {
		need(a.Notice.Digest[lang] == TextDigest(text), fmt.Sprintf("the digest of its notice in %q is wrong", lang))
	}
	for _, role := range []kiosk.RecipientRole{kiosk.RecipientMatcher, kiosk.RecipientCustodian, kiosk.RecipientAdjudicator} {
		need(Recipient(a, role) != nil, fmt.Sprintf("it names no %s", role))
	}
	if len(faults) > 0 {
		return fmt.Errorf("%w: %w", ErrAgreement, errors.Join(faults...))
	}
	return nil
}

// TextDigest is the hex SHA-256 of a notice.
func TextDigest(text string) string {
	d := sha256.Sum256([]byte(text))
	return hex.EncodeToString(d[:])
}

// InForce reports ErrNotYet or ErrExpired. Expiry stops new enrolments and
// never deletes an undelivered record.
func InForce(a *kiosk.Agreement, now time.Time) error {
	if now.Before(a.NotBefore) {
		return fmt.Errorf("%w: it begins %s", ErrNotYet, a.NotBefore.UTC().Format("2006-01-02 15:04 MST"))
	}
	if !now.Before(a.Expires) {
		return fmt.Errorf("%w (it ended %s)", ErrExpired, a.Expires.UTC().Format("2006-01-02"))
	}
	return nil
}

// Recipient returns the first recipient with a role, nil if there is none.
func Recipient(a *kiosk.Agreement, role kiosk.RecipientRole) *kiosk.Recipient {
	for i := range a.Recipients {
		if a.Recipients[i].Role == role {
			return &a.Recipients[i]
		}
	}
	return nil
}

// Authority returns the legal authority with a code, or ErrAuthority unless it
// is valid now.
func Authority(a *kiosk.Agreement, code string, now time.Time) (kiosk.Authority, error) {
	for _, x := range a.Authorities {
		if x.Code != code {
			continue
		}
		if now.Before(x.ValidFrom) || !now.Before(x.ValidUntil) {
			return x, fmt.Errorf("%w: %s is valid from %s until %s", ErrAuthority, code,
				x.ValidFrom.Format(time.DateOnly), x.ValidUntil.Format(time.DateOnly))
		}
		return x, nil
	}
	return kiosk.Authority{}, fmt.Errorf("%w: %q is not in the agreement", ErrAuthority, code)
}

// Modalities returns what may be captured of a person who arrived so. An
// unknown age counts as the youngest band that the category lists.
func Modalities(a *kiosk.Agreement, arr *kiosk.Arrival) ([]kiosk.Modality, error) {
	rule, err := bandRule(a, arr)
	if err != nil {
		return nil, err
	}
	if rule.Guardian && arr.Guardian == "" {
		return nil, fmt.Errorf("%w: a guardian must be named for the age band %q", ErrNotAllowed, rule.Band)
	}
	var out []kiosk.Modality
	for _, m := range rule.Modalities {
		taken := slices.ContainsFunc(arr.Flags, func(f kiosk.ProtectedFlag) bool {
			return slices.Contains(rule.Without[f], m)
		})
		if !taken && !slices.Contains(out, m) {
			out = append(out, m)
		}
	}
	return out, nil
}

// bandOrder lists the bands from the youngest.
var bandOrder = []kiosk.AgeBand{kiosk.BandUnder14, kiosk.Band14To17, kiosk.BandAdult}

func bandRule(a *kiosk.Agreement, arr *kiosk.Arrival) (kiosk.BandRule, error) {
	i := slices.IndexFunc(a.Categories, func(c kiosk.Category) bool { return c.Code == arr.Category })
	if i < 0 {
		return kiosk.BandRule{}, fmt.Errorf("%w: category %q is not in the agreement", ErrNotAllowed, arr.Category)
	}
	find := func(b kiosk.AgeBand) (kiosk.BandRule, bool) {
		for _, r := range a.Categories[i].Bands {
			if r.Band == b {
				return r, true
			}
		}
		return kiosk.BandRule{}, false
	}
	if arr.Band == kiosk.BandUnknown {
		for _, b := range bandOrder {
			if r, ok := find(b); ok {
				return r, nil
			}
		}
	}
	r, ok := find(arr.Band)
	if !ok {
		return kiosk.BandRule{}, fmt.Errorf("%w: age band %q of category %q may not be enrolled", ErrNotAllowed, arr.Band, arr.Category)
	}
	return r, nil
}

// BandAt returns the band of a person born on birth (YYYY-MM-DD, unknown parts
// XX) at a day. An unknown part counts as the latest that it may be, so that
// doubt makes the person younger. It returns BandUnknown when the year is not
// known or the text is not a date.
func BandAt(birth string, day time.Time) kiosk.AgeBand {
	if len(birth) != 10 {
		return kiosk.BandUnknown
	}
	b := []byte(birth)
	year := string(b[:4])
	month, dom := string(b[5:7]), string(b[8:])
	if month == "XX" {
		month, dom = "12", "31"
	}
	t, err := time.Parse("2006-01", year+"-"+month)
	if err != nil {
		return kiosk.BandUnknown
	}
	if dom == "XX" {
		t = t.AddDate(0, 1, -1)
	} else if t, err = time.Parse(time.DateOnly, year+"-"+month+"-"+dom); err != nil {
		return kiosk.BandUnknown
	}
	switch {
	case t.AddDate(14, 0, 0).After(day):
		return kiosk.BandUnder14
	case t.AddDate(18, 0, 0).After(day):
		return kiosk.Band14To17
	}
	return kiosk.BandAdult
}

// Younger reports whether band a is younger than b; unknown is youngest.
func Younger(a, b kiosk.AgeBand) bool {
	return slices.Index(bandOrder, a) < slices.Index(bandOrder, b)
}

// stepModality says which modality a step captures.
var stepModality = map[kiosk.StepKind]kiosk.Modality{
	kiosk.StepIrises:   kiosk.ModalityIris,
	kiosk.StepFace:     kiosk.ModalityFace,
	kiosk.StepDocument: kiosk.ModalityDocument,
}

// Steps composes the walk of a visit. A step whose modality is not permitted
// stands in the walk as "not collected by rule".
func Steps(a *kiosk.Agreement, v kiosk.VisitKind, permitted []kiosk.Modality) ([]kiosk.Step, error) {
	i := slices.IndexFunc(a.Visits, func(x kiosk.Visit) bool { return x.Kind == v })
	if i < 0 {
		return nil, fmt.Errorf("%w: visit %q is not in the agreement", ErrNotAllowed, v)
	}
	visit := a.Visits[i]
	steps := make([]kiosk.Step, 0, len(visit.Steps))
	for _, k := range visit.Steps {
		s := kiosk.Step{Kind: k, State: kiosk.StepOpen, Required: slices.Contains(visit.Required, k)}
		if m, ok := stepModality[k]; ok && !slices.Contains(permitted, m) {
			s.State = kiosk.StepByRule
		}
		steps = append(steps, s)
	}
	return steps, nil
}

// Notice reports ErrNotAllowed unless the evidence shows that this agreement's
// notice was given in a form that it accepts.
func Notice(a *kiosk.Agreement, n kiosk.NoticeEvidence) error {
	if a.Notice.Digest[n.Language] == "" || a.Notice.Digest[n.Language] != n.Digest {
		return fmt.Errorf("%w: the notice given is not this agreement's (language %q)", ErrNotAllowed, n.Language)
	}
	if !slices.Contains(a.Notice.Given, n.Form) {
		return fmt.Errorf("%w: the notice must be given in another form than %q", ErrNotAllowed, n.Form)
	}
	return nil
}

// SecondReasons returns why the encounter needs a second person, in the order
// of the agreement's rules, and how long may pass.
func SecondReasons(a *kiosk.Agreement, e *kiosk.Encounter) ([]kiosk.SecondReason, time.Duration) {
	var reasons []kiosk.SecondReason
	var deadline time.Duration
	for _, r := range a.Second {
		if !applies(r.When, e) {
			continue
		}
		reasons = append(reasons, r.When)
		if deadline == 0 || r.Deadline < deadline {
			deadline = r.Deadline
		}
	}
	return reasons, deadline
}

func applies(when kiosk.SecondReason, e *kiosk.Encounter) bool {
	switch when {
	case kiosk.SecondHit:
		return e.Hit()
	case kiosk.SecondBelow:
		return slices.ContainsFunc(e.Captures, func(c kiosk.Capture) bool { return c.Below != "" && !c.Cleared })
	case kiosk.SecondException:
		return len(e.Exceptions) > 0
	case kiosk.SecondNoIrises:
		return e.Excepted(kiosk.ModalityIris, kiosk.EyeLeft) && e.Excepted(kiosk.ModalityIris, kiosk.EyeRight)
	case kiosk.SecondProtected:
		return len(e.Arrival.Flags) > 0
	}
	return false
}

// List returns the rule of a list that may be searched.
func List(a *kiosk.Agreement, list string) (kiosk.ListRule, bool) {
	for _, r := range a.Lists {
		if r.List == list {
			return r, true
		}
	}
	return kiosk.ListRule{}, false
}
