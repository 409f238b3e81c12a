package courier

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"math/big"
	"net"
	"net/http"
	"testing"
	"time"

	"tambo/store"
	"tambo/sync/hub"
	"tambo/sync/wire"
)

// impostor answers TLS with a certificate of its own, valid from and until.
func impostor(t *testing.T, from, until time.Time) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "another"}, DNSNames: []string{wire.ServerName}, NotBefore: from, NotAfter: until}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}})
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{}
	go s.Serve(l)
	t.Cleanup(func() { s.Close() })
	return l.Addr().String()
}

// TestProbe: the hub is down at each step, and the step that failed is the one
// that is named.
func TestProbe(t *testing.T) {
	w := newWorld(t, true)
	v, c := w.newKiosk("lima-1")
	good := v.id.Hub
	at, steps, err := c.Probe(t.Context())
	if err != nil || len(steps) != 5 || steps[4].Err != nil || steps[4].Status != 200 || steps[4].HubTime.IsZero() || steps[4].Skew.Abs() > 2*time.Second || "https://"+at != good {
		t.Fatalf("%s %+v %v", at, steps, err)
	}
	for _, s := range steps {
		t.Logf("%-5s %s", s.Step, s.Took.Round(10*time.Microsecond))
	}
	if len(v.items) != 0 {
		t.Error("a probe kept something")
	}
	now := time.Now()
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	for name, x := range map[string]struct {
		hub   string
		now   func() time.Time
		step  string
		cause Cause
	}{
		"no such name":              {"https://no-such-hub.invalid:8443", nil, StepName, CauseName},
		"nothing there":             {"https://" + closed.Addr().String(), nil, StepTCP, CauseRefused},
		"silence":                   {"https://" + silentServer(t), nil, StepTLS, CauseTimeout},
		"impostor":                  {"https://" + impostor(t, now.Add(-time.Hour), now.Add(time.Hour)), nil, StepTLS, CauseImpostor},
		"impostor, out of date":     {"https://" + impostor(t, now.Add(-2*time.Hour), now.Add(-time.Hour)), nil, StepTLS, CauseImpostor},
		"a clock a year too late":   {good, func() time.Time { return now.AddDate(2, 0, 0) }, StepDates, CauseClock},
		"a clock a year too early":  {good, func() time.Time { return now.AddDate(-1, 0, 0) }, StepDates, CauseClock},
		"a clock five minutes late": {good, func() time.Time { return time.Now().Add(5 * time.Minute) }, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			v.id.Hub = x.hub
			defer func() { v.id.Hub = good }()
			_, steps, err := New(Config{Vault: v, Now: x.now, Stall: 500 * time.Millisecond}).Probe(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			last := steps[len(steps)-1]
			if x.step == "" {
				if last.Err != nil || last.Skew < 4*time.Minute || last.Skew > 6*time.Minute {
					t.Errorf("%+v", last)
				}
				return
			}
			if last.Step != x.step || last.Cause != x.cause {
				t.Errorf("stopped at %s by %s (%v), want %s by %s", last.Step, last.Cause, last.Err, x.step, x.cause)
			}
			if x.step == StepDates && (last.NotAfter.IsZero() || last.NotBefore.IsZero()) {
				t.Errorf("%+v does not say the dates", last)
			}
		})
	}
	order[hub.None](w, "kiosk revoke", hub.ByID{ID: "lima-1"})
	if _, steps, _ := c.Probe(t.Context()); steps[len(steps)-1].Step != StepHTTP || steps[len(steps)-1].Cause != CauseCertificate {
		t.Errorf("revoked: %+v", steps[len(steps)-1])
	}
	if _, _, err := New(Config{Vault: newVault(t)}).Probe(t.Context()); !errors.Is(err, store.ErrNoIdentity) {
		t.Errorf("without a hub: %v", err)
	}
}
