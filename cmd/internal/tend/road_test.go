package tend

import (
	"context"
	"errors"
	"testing"
	"time"

	"tambo/kiosk/health"
	"tambo/kiosk/session/sessiontest"
	"tambo/store"
	"tambo/sync/courier"
)

type prober struct {
	steps []courier.Probed
	err   error
}

func (p prober) Probe(context.Context) (string, []courier.Probed, error) {
	return "hub.example:8443", p.steps, p.err
}

// TestRoadVerdicts: the hub is down at each step of a courier's probe, and the
// verdict names that step's part. (That a real road gives these steps is package
// courier's test.)
func TestRoadVerdicts(t *testing.T) {
	k := sessiontest.New(t)
	now := time.Now()
	at := func(step string, cause courier.Cause, more ...func(*courier.Probed)) prober {
		var p prober
		for _, s := range []string{courier.StepName, courier.StepTCP, courier.StepTLS, courier.StepDates, courier.StepHTTP} {
			x := courier.Probed{Step: s}
			if s == step {
				x.Cause, x.Err = cause, errors.New("as a test")
				for _, m := range more {
					m(&x)
				}
			}
			p.steps = append(p.steps, x)
			if s == step && cause != "" {
				break
			}
		}
		return p
	}
	dates := func(from, until time.Time) func(*courier.Probed) {
		return func(p *courier.Probed) { p.NotBefore, p.NotAfter = from, until }
	}
	skewed := at("", "")
	skewed.steps[4].HubTime, skewed.steps[4].Skew = now.Add(-time.Hour), time.Hour
	good := at("", "")
	good.steps[4].HubTime, good.steps[4].Status = now, 200
	for name, c := range map[string]struct {
		road prober
		want health.Cause
	}{
		"name": {at(courier.StepName, courier.CauseName), health.CauseName}, "refused": {at(courier.StepTCP, courier.CauseRefused), health.CauseRefused},
		"no way": {at(courier.StepTCP, courier.CauseNetwork), health.CauseNoWay}, "silence": {at(courier.StepTCP, courier.CauseTimeout), health.CauseTimeout},
		"impostor": {at(courier.StepTLS, courier.CauseImpostor), health.CauseImpostor}, "revoked": {at(courier.StepHTTP, courier.CauseCertificate), health.CauseRejected},
		"500": {at(courier.StepHTTP, courier.CauseHub, func(p *courier.Probed) { p.Status = 500 }), health.CauseHubError}, "cut": {at(courier.StepHTTP, courier.CauseCut), health.CauseCut},
		"hub's certificate over, our clock certain": {at(courier.StepDates, courier.CauseClock, dates(now.Add(-9*24*time.Hour), now.Add(-24*time.Hour))), health.CauseHubCert},
		"hub's certificate in the future":           {at(courier.StepDates, courier.CauseClock, dates(now.Add(time.Hour), now.Add(9*time.Hour))), health.CauseClockWrong},
		"skew":                                      {skewed, health.CauseClockWrong}, "no hub": {prober{err: store.ErrNoIdentity}, health.CauseNoHub}, "well": {good, ""},
	} {
		f := (&Kiosk{Dir: k.Dir, Vault: k.Vault, Road: c.road}).Facts(t.Context())
		if f.Clock.Trusted = true; f.Road != nil && len(f.Road.Steps) > 0 && f.Road.Steps[0].Step == health.StepLink { // a machine without a network says so
			f.Road.Steps[0].Fault = ""
			if len(f.Road.Steps) == 1 {
				t.Skip("no network on this machine: the road is judged at its first step")
			}
		}
		r := health.Judge(f)
		var got health.Cause
		for _, x := range r.Findings {
			if x.Part == health.PartHub || x.Part == health.PartClock {
				got = x.Cause
				break
			}
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q; all %+v", name, got, c.want, r.Findings)
		}
	}
}
