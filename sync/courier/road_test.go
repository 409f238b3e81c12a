package courier

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"tambo/kiosk"
	"tambo/sync/hub"
	"tambo/sync/wire"
)

var parseKey = wire.ParseVerifierKey

func round(t testing.TB, c *Courier) Report {
	t.Helper()
	r, err := c.Round(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestDelivery(t *testing.T) {
	w := newWorld(t, true)
	v, c := w.newKiosk("lima-1")
	a := v.seal(packed{})
	r := round(t, c)
	if r.Thin != 1 || r.Delivered != 1 || r.Purged != 1 || r.Waiting != 0 || r.HubTime.IsZero() {
		t.Errorf("%+v", r)
	}
	w.delivered(a)
	if got := strings.Join(v.acts, " "); got != "thin "+a.ID+" complete "+a.ID+" purged "+a.ID {
		t.Error(got)
	}
	// The receipts say what they should, and stand in the log.
	_, pub, _ := wire.ParseVerifierKey(v.id.HubKey)
	key, _, _ := wire.ParseVerifierKey(v.id.HubKey)
	for kind, n := range a.receipts {
		x, err := wire.ReceiptFor(n, key, "lima-1", a.Encounter, a.ID)
		if err != nil || x.Kind != kind {
			t.Fatalf("%v %+v", err, x)
		}
		checkProof(t, c, n, x.LogIndex, pub)
	}
	if r = round(t, c); r.Progress() || r.Bytes != 0 {
		t.Errorf("a round with nothing to do: %+v", r)
	}
}

// TestThinBeforeImages: the thin parts of every package, hits first, before any
// image or record of any.
func TestThinBeforeImages(t *testing.T) {
	w := newWorld(t, true)
	v, c := w.newKiosk("lima-1")
	var want []string
	plain1, plain2, hit := v.seal(packed{}), v.seal(packed{}), v.seal(packed{hit: true})
	for _, it := range []*fakeItem{hit, plain1, plain2} {
		want = append(want, "thin "+it.ID)
	}
	for _, it := range []*fakeItem{hit, plain1, plain2} {
		want = append(want, "complete "+it.ID, "purged "+it.ID)
	}
	round(t, c)
	if strings.Join(v.acts, "\n") != strings.Join(want, "\n") {
		t.Errorf("went in the order\n%s\nwant\n%s", strings.Join(v.acts, "\n"), strings.Join(want, "\n"))
	}
	w.delivered(hit, plain1, plain2)
}

// TestSendingTwice: the same package from a vault that forgot its receipts gets
// the same bytes (the fake vault complains if not) and leaves one record.
func TestSendingTwice(t *testing.T) {
	w := newWorld(t, true)
	v, c := w.newKiosk("lima-1")
	a := v.seal(packed{})
	for i := range 4 {
		if i == 2 {
			w.halt()
			w.start()
		}
		v.mu.Lock()
		a.State = kiosk.StateSealed
		v.mu.Unlock()
		r := round(t, c)
		if i > 0 && r.Bytes != 0 {
			t.Errorf("sent %d bytes again", r.Bytes)
		}
	}
	w.delivered(a)
}

// TestTwoRoads sends one package over two couriers at once.
func TestTwoRoads(t *testing.T) {
	w := newWorld(t, true)
	v, c := w.newKiosk("lima-1")
	a := v.seal(packed{})
	other := New(c.c)
	done := make(chan error, 2)
	for _, x := range []*Courier{c, other} {
		go func() {
			for range 20 {
				if _, err := x.Round(context.Background()); err == nil {
					break
				}
				time.Sleep(10 * time.Millisecond)
			}
			done <- nil
		}()
	}
	<-done
	<-done
	round(t, c)
	w.delivered(a)
}

func TestRefusals(t *testing.T) {
	w := newWorld(t, true)
	v, c := w.newKiosk("lima-1")
	first := v.seal(packed{})
	round(t, c)
	for name, p := range map[string]packed{
		"not a training package":  {real: true},
		"unknown agreement":       {agreement: strings.Repeat("ab", 32)},
		"another recipient":       {recipient: func(p *kiosk.Part, r *kiosk.Recipient) { *r = v.agreement().Recipients[0] }},
		"the same encounter anew": {encounter: first.Encounter},
	} {
		t.Run(name, func(t *testing.T) {
			it := v.seal(p)
			r := round(t, c)
			if r.Refused != 1 || it.State != kiosk.StateRefused || r.Waiting != 0 {
				t.Fatalf("%+v, %s", r, it.State)
			}
			x, err := wire.ReceiptFor(it.receipts[kiosk.ReceiptRefused], mustVerifier(t, v), "lima-1", it.Encounter, it.ID)
			if err != nil || x.Reason == "" {
				t.Fatalf("%v %+v", err, x)
			}
			t.Log(x.Reason)
			again := bytes.Clone(it.receipts[kiosk.ReceiptRefused])
			v.mu.Lock()
			it.State = kiosk.StateSealed
			v.mu.Unlock()
			round(t, c)
			if !bytes.Equal(again, it.receipts[kiosk.ReceiptRefused]) {
				t.Error("another refusal the second time")
			}
		})
	}
	notice := v.seal(packed{encounter: first.Encounter, kind: kiosk.PackageNotice, hit: true})
	if round(t, c); notice.State != kiosk.StatePurged {
		t.Errorf("a notice about an encounter that is there: %s", notice.State)
	}
}

// TestRealHub: a hub that is not for training refuses what is.
func TestRealHub(t *testing.T) {
	w := newWorld(t, false)
	if _, err := tryOrder[hub.Code](w, "kiosk add", hub.AddKiosk{ID: "lima-1", Site: "Lima"}); !errors.Is(err, hub.ErrArgument) {
		t.Errorf("a code without an agreement: %v", err)
	}
	a := training(w)
	if _, err := tryOrder[hub.None](w, "agreement put", a); !errors.Is(err, hub.ErrArgument) {
		t.Errorf("a training agreement at a real hub: %v", err)
	}
	a.Training = false
	order[hub.None](w, "agreement put", a)
	v, c := w.newKiosk("lima-1")
	good, bad := v.seal(packed{real: true}), v.seal(packed{})
	round(t, c)
	if good.State != kiosk.StatePurged || bad.State != kiosk.StateRefused {
		t.Errorf("real: %s, training: %s", good.State, bad.State)
	}
}

// TestTampered: what is not what the kiosk signed never becomes a record.
func TestTampered(t *testing.T) {
	w := newWorld(t, true)
	v, c := w.newKiosk("lima-1")
	a, good := v.seal(packed{}), v.seal(packed{})
	v.broken = true // parts read damaged from the disk
	r, err := c.Round(context.Background())
	var e *Error
	if !errors.As(err, &e) || e.Cause != CauseVault || !errors.Is(err, ErrDamaged) || len(r.Items) != 2 {
		t.Fatalf("damaged part: %v", err)
	}
	t.Log(err)
	v.broken = false
	round(t, c)
	w.delivered(a, good)

	// A manifest with another signature, and one about another kiosk.
	_, key, _ := ed25519.GenerateKey(nil)
	v.key, key = key, v.key
	forged := v.seal(packed{})
	if _, err = c.Round(context.Background()); !errors.Is(err, wire.NewProblem(wire.CodeSignature, "")) {
		t.Errorf("forged manifest: %v", err)
	}
	v.key = key
	delete(v.items, forged.ID)
	v.id.Kiosk = "lima-2"
	foreign := v.seal(packed{})
	v.id.Kiosk = "lima-1"
	if _, err = c.Round(context.Background()); !errors.Is(err, wire.NewProblem(wire.CodeSignature, "")) {
		t.Errorf("manifest of another kiosk: %v", err)
	}
	delete(v.items, foreign.ID)
	w.delivered(a, good)
}

// TestForgedReceipts: a hub that lies gets nothing purged.
func TestForgedReceipts(t *testing.T) {
	w := newWorld(t, true)
	v, c := w.newKiosk("lima-1")
	a, b := v.seal(packed{}), v.seal(packed{})
	round(t, c)
	stolen := string(a.receipts[kiosk.ReceiptComplete])
	_, other, _ := ed25519.GenerateKey(nil)
	s, _ := wire.NewSigner(w.keys.Name, other)
	x, _ := wire.ReceiptFor(b.receipts[kiosk.ReceiptComplete], mustVerifier(t, v), "lima-1", b.Encounter, b.ID)
	forged, _ := wire.SignReceipt(x, s)
	for name, n := range map[string]string{"another package's": stolen, "another key's": string(forged), "none": "x", "thin as complete": strings.Replace(string(b.receipts[kiosk.ReceiptThin]), "kind: thin", "kind: complete", 1)} {
		b.State = kiosk.StateSealed
		it := b.Item
		r := rounder{c: c, id: v.id, key: mustVerifier(t, v)}
		if err := r.receipts(t.Context(), &it, []string{n}); !errors.Is(err, wire.ErrReceipt) || it.State != kiosk.StateSealed {
			t.Errorf("%s: %v, %s", name, err, it.State)
		}
	}
}

// TestScope: kiosk A cannot see or write what is B's, and a certificate of
// another authority, or a revoked one, gets nowhere.
func TestScope(t *testing.T) {
	w := newWorld(t, true)
	va, ca := w.newKiosk("lima-1")
	vb, cb := w.newKiosk("lima-2")
	b := vb.seal(packed{})
	// B begins and is cut off by its own hand: the record waits half sent.
	rb, err := cb.prepare(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var ans wire.PackageAnswer
	if err := rb.call(t.Context(), "POST", wire.RoutePackages, "", wire.TypeManifest, b.manifest, &ans); err != nil {
		t.Fatal(err)
	}
	part := b.Parts[0]
	if err := rb.create(t.Context(), part); err != nil {
		t.Fatal(err)
	}
	src, _, _ := vb.SealedPart(b.ID, part.Name)
	if _, err := rb.patch(t.Context(), wire.UploadID("lima-2", part.Digest), src, 0, 1000); err != nil {
		t.Fatal(err)
	}
	ra, err := ca.prepare(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	evil := bytes.NewReader(make([]byte, 5000))
	if _, err := ra.patch(t.Context(), wire.UploadID("lima-2", part.Digest), evil, 1000, 5000); !errors.Is(err, wire.NewProblem(wire.CodeNotYours, "")) {
		t.Errorf("A wrote into B's upload: %v", err)
	}
	if err := ra.create(t.Context(), part); !errors.Is(err, wire.NewProblem(wire.CodeUnlisted, "")) {
		t.Errorf("A began an upload of B's part: %v", err)
	}
	if err := ra.call(t.Context(), "HEAD", wire.RouteUploads+wire.UploadID("lima-2", part.Digest), "", "", nil, nil); err == nil {
		t.Error("A saw B's upload")
	}
	if err := ra.call(t.Context(), "POST", wire.RoutePackages, "", wire.TypeManifest, b.manifest, &ans); !errors.Is(err, wire.NewProblem(wire.CodeSignature, "")) {
		t.Errorf("A asked about B's package: %v", err)
	}
	var proof wire.ProofAnswer
	round(t, cb)
	if err := ra.call(t.Context(), "GET", wire.RouteProof, "index=0", "", nil, &proof); !errors.Is(err, wire.NewProblem(wire.CodeNotYours, "")) {
		t.Errorf("A asked for the proof of B's receipt: %v", err)
	}
	w.delivered(b)

	// Same name, another authority.
	fake := newWorld(t, true)
	vf, _ := fake.newKiosk("lima-1")
	forged := va.twin()
	forged.id.Certificate, forged.id.TransportKey = vf.id.Certificate, vf.id.TransportKey
	cf := New(Config{Vault: forged, Stall: 5 * time.Second})
	var e *Error
	if _, err := cf.Round(t.Context()); !errors.As(err, &e) || e.Cause != CauseCertificate {
		t.Errorf("forged certificate: %v", err)
	} else {
		t.Log(err)
	}
	// The right kiosk that is led to another hub sends nothing.
	led := va.twin()
	led.id.Hub = fake.url()
	if _, err := New(Config{Vault: led, Stall: 5 * time.Second}).Round(t.Context()); !errors.As(err, &e) || e.Cause != CauseImpostor {
		t.Errorf("another hub: %v", err)
	} else {
		t.Log(err)
	}
	order[hub.None](w, "kiosk revoke", hub.ByID{ID: "lima-1"})
	if _, err := ca.Round(t.Context()); !errors.Is(err, wire.NewProblem(wire.CodeRevoked, "")) || !errors.As(err, &e) || e.Cause != CauseCertificate {
		t.Errorf("revoked: %v", err)
	} else {
		t.Log(err)
	}
	round(t, cb)
}

// TestNoCertificate: every route but provisioning asks for one.
func TestNoCertificate(t *testing.T) {
	w := newWorld(t, true)
	_, c := w.newKiosk("lima-1")
	fp := wire.Fingerprint(w.keys.CA.Raw)
	h := client(pinned(fp, time.Now), time.Second)
	for _, route := range []string{"POST " + wire.RoutePackages, "GET " + wire.RouteDown, "POST " + wire.RouteUploads, "PATCH " + wire.RouteUploads + "x",
		"HEAD " + wire.RouteUploads + "x", "OPTIONS " + wire.RouteUploads, "POST " + wire.RouteAlerts, "GET " + wire.RouteProof, "POST " + wire.RouteRenew} {
		method, path, _ := strings.Cut(route, " ")
		req, _ := http.NewRequest(method, w.url()+path, nil)
		resp, err := h.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		if resp.StatusCode != http.StatusUnauthorized {
			t.Errorf("%s without a certificate: %s", route, resp.Status)
		}
		resp.Body.Close()
	}
	// And with one, tus says what it is.
	r, err := c.prepare(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	req, _ := http.NewRequest("OPTIONS", w.url()+wire.RouteUploads, nil)
	resp, err := r.http.Do(req)
	if err != nil || resp.Header.Get("Tus-Version") != "1.0.0" || resp.Header.Get("Tus-Extension") != "creation" {
		t.Errorf("%v %v", err, resp.Header)
	}
}

func training(w *world) kiosk.Agreement {
	return trainingAgreement(w.keys.Recipients, w.now())
}
