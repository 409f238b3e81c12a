package policy_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"tambo/kiosk"
	"tambo/kiosk/policy"
)

var t0 = time.Date(2026, 11, 22, 6, 30, 0, 0, time.UTC)

func agreement() kiosk.Agreement {
	return policy.TrainingAgreement([]kiosk.Recipient{
		{Role: kiosk.RecipientMatcher}, {Role: kiosk.RecipientCustodian}, {Role: kiosk.RecipientAdjudicator},
	}, t0)
}

func TestTrainingAgreementIsWhole(t *testing.T) {
	a := agreement()
	if err := policy.Check(&a); err != nil {
		t.Fatal(err)
	}
	a.HumanReview, a.Redress.Contact, a.Recipients = false, nil, a.Recipients[:2]
	a.Notice.Text["es"] += " (changed)"
	err := policy.Check(&a)
	for _, want := range []string{"machine alone", "object", "adjudicator", `"es"`} {
		if !errors.Is(err, policy.ErrAgreement) || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q in %v", want, err)
		}
	}
}

func TestExpiryClosesEnrolmentToTheSecond(t *testing.T) {
	a := agreement()
	for _, c := range []struct {
		at   time.Time
		want error
	}{
		{a.NotBefore.Add(-time.Second), policy.ErrNotYet}, {a.NotBefore, nil},
		{a.Expires.Add(-time.Second), nil}, {a.Expires, policy.ErrExpired},
	} {
		if err := policy.InForce(&a, c.at); !errors.Is(err, c.want) {
			t.Errorf("%v: %v", c.at, err)
		}
	}
}

func TestDoubtMakesAPersonYounger(t *testing.T) {
	day := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	for birth, want := range map[string]kiosk.AgeBand{
		"2008-11-22": kiosk.BandAdult, "2008-11-23": kiosk.Band14To17, "2008-11-XX": kiosk.Band14To17,
		"2008-XX-XX": kiosk.Band14To17, "2007-XX-XX": kiosk.BandAdult, "2012-11-22": kiosk.Band14To17,
		"2012-12-01": kiosk.BandUnder14, "XXXX-XX-XX": kiosk.BandUnknown, "1987-02-30": kiosk.BandUnknown, "": kiosk.BandUnknown,
		"2008-10-XX": kiosk.BandAdult,
	} {
		if got := policy.BandAt(birth, day); got != want {
			t.Errorf("%s: %s, want %s", birth, got, want)
		}
	}
}

func TestModalitiesFollowBandFlagsAndGuardian(t *testing.T) {
	a := agreement()
	arr := kiosk.Arrival{Category: "remand", Band: kiosk.BandAdult}
	has := func(m kiosk.Modality) bool {
		ms, err := policy.Modalities(&a, &arr)
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range ms {
			if x == m {
				return true
			}
		}
		return false
	}
	if !has(kiosk.ModalityIris) || !has(kiosk.ModalityFace) {
		t.Error("an adult's irises and face are permitted")
	}
	arr.Flags = []kiosk.ProtectedFlag{kiosk.FlagVictim}
	if has(kiosk.ModalityFace) || !has(kiosk.ModalityIris) {
		t.Error("the flag takes the face away, and only that")
	}
	arr = kiosk.Arrival{Category: "remand", Band: kiosk.BandUnknown, Guardian: "aunt"}
	if has(kiosk.ModalityIris) {
		t.Error("unknown age counts as the youngest band")
	}
	arr.Guardian = ""
	if _, err := policy.Modalities(&a, &arr); !errors.Is(err, policy.ErrNotAllowed) {
		t.Error("a minor without a guardian: ", err)
	}
	arr = kiosk.Arrival{Category: "remand", Band: kiosk.BandUnder14, Guardian: "aunt"}
	if _, err := policy.Modalities(&a, &arr); !errors.Is(err, policy.ErrNotAllowed) {
		t.Error("a band that is not listed permits nothing: ", err)
	}
}

func TestClockIsTrustedOnlyWithinWhatTheHubSigned(t *testing.T) {
	c := policy.Clock{Build: t0.Add(-48 * time.Hour), LastAudit: t0.Add(-time.Hour), Signed: t0.Add(-2 * time.Hour), SinceSign: time.Hour}
	for _, x := range []struct {
		now  time.Time
		want bool
	}{
		{t0, true}, {t0.Add(-59 * time.Minute), true}, {t0.Add(-61 * time.Minute), false}, // before the last audit entry
		{c.Signed.Add(25*time.Hour - time.Second), true}, {c.Signed.Add(25*time.Hour + time.Second), false},
	} {
		if got := c.Instant(x.now).Trusted; got != x.want {
			t.Errorf("%v: trusted %v", x.now, got)
		}
	}
	c.Signed = time.Time{}
	if c.Instant(t0).Trusted {
		t.Error("time that nobody signed is only declared")
	}
}

func TestStrangers(t *testing.T) {
	if got := policy.Strangers(9, 1000); got < 0.99e6 || got > 1.01e6 {
		t.Error(got)
	}
	if policy.Strangers(2, 1_000_000) != 1 {
		t.Error("never rarer than once a search")
	}
	if fmr := policy.SearchFMR(1e-3, 1000); fmr < 0.99e-6 || fmr > 1.01e-6 {
		t.Error(fmr)
	}
}

func TestDocumentHashIgnoresHowANumberIsWritten(t *testing.T) {
	k := []byte("key")
	a, b := policy.DocumentHash(k, "L 898902-c3"), policy.DocumentHash(k, "L898902C3")
	if string(a) != string(b) || len(a) != 32 {
		t.Error("one number, two hashes")
	}
	if string(a) == string(policy.DocumentHash([]byte("other"), "L898902C3")) || policy.DocumentHash(k, "<<< -") != nil {
		t.Error("the key must matter, and an empty number has no hash")
	}
}
