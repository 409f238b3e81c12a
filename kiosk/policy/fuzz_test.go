package policy_test

import (
	"encoding/json"
	"slices"
	"testing"

	"tambo/kiosk"
	"tambo/kiosk/policy"
)

// An agreement comes over the road. Whatever it says, every question about it
// gets an answer or a refusal, and two promises hold: a modality that is
// permitted is named by the agreement, and somebody of unknown age is treated as
// the youngest that the agreement knows.
func FuzzAgreement(f *testing.F) {
	whole, err := json.Marshal(agreement())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(whole, "1987-XX-XX", "prisoner")
	f.Add([]byte(`{"categories":[{"code":"x","bands":[{"band":"adult","modalities":["iris"]}]}]}`), "", "x")
	f.Add([]byte(`{"visits":[{}],"second":[{"when":"hit","within":-9}],"notice":{"text":{"es":""}}}`), "2008-02-30", "")
	f.Fuzz(func(t *testing.T, doc []byte, birth, category string) {
		var a kiosk.Agreement
		if json.Unmarshal(doc, &a) != nil {
			return
		}
		policy.InForce(&a, t0)
		if err := policy.Check(&a); err == nil && policy.Recipient(&a, kiosk.RecipientMatcher) == nil {
			t.Error("a whole agreement without a matcher")
		}
		policy.Authority(&a, category, t0)
		policy.Notice(&a, kiosk.NoticeEvidence{Language: birth, Digest: category})
		policy.BandAt(birth, t0)
		if len(a.Categories) > 0 {
			category = a.Categories[0].Code
		}
		may := map[kiosk.AgeBand][]kiosk.Modality{}
		for _, band := range []kiosk.AgeBand{kiosk.BandUnder14, kiosk.Band14To17, kiosk.BandAdult, kiosk.BandUnknown} {
			m, err := policy.Modalities(&a, &kiosk.Arrival{Category: category, Band: band, Guardian: "g"})
			if err != nil {
				continue
			}
			may[band] = m
			for _, m := range m {
				if !slices.ContainsFunc(a.Categories, func(c kiosk.Category) bool {
					return slices.ContainsFunc(c.Bands, func(r kiosk.BandRule) bool { return slices.Contains(r.Modalities, m) })
				}) {
					t.Errorf("%s is permitted and stands nowhere in the agreement", m)
				}
			}
			for _, v := range a.Visits {
				policy.Steps(&a, v.Kind, m)
			}
		}
		if unknown, ok := may[kiosk.BandUnknown]; ok {
			for _, b := range []kiosk.AgeBand{kiosk.BandAdult, kiosk.Band14To17, kiosk.BandUnder14} {
				if m, listed := may[b]; listed && youngest(&a, category) == b && !slices.Equal(m, unknown) {
					t.Errorf("unknown age %v, youngest band %s %v", unknown, b, m)
				}
			}
		}
		policy.SecondReasons(&a, &kiosk.Encounter{})
		policy.List(&a, category)
		policy.RetentionReached(&a, t0, kiosk.Instant{Time: t0})
	})
}

func youngest(a *kiosk.Agreement, category string) kiosk.AgeBand {
	i := slices.IndexFunc(a.Categories, func(c kiosk.Category) bool { return c.Code == category })
	for _, b := range []kiosk.AgeBand{kiosk.BandUnder14, kiosk.Band14To17, kiosk.BandAdult} {
		if slices.ContainsFunc(a.Categories[i].Bands, func(r kiosk.BandRule) bool { return r.Band == b }) {
			return b
		}
	}
	return ""
}
