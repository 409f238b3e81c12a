package wire

import (
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"tambo/kiosk"
)

var (
	testKey   = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{3}, 32))
	testOther = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{4}, 32))
)

func testReceipt() kiosk.Receipt {
	return kiosk.Receipt{
		Kind: kiosk.ReceiptThin, Kiosk: "lima-1", Encounter: "0123456789abcdefghjk",
		Manifest: strings.Repeat("ab", 32), LogIndex: 7, Time: time.Date(2026, 11, 22, 6, 30, 0, 0, time.UTC),
	}
}

func signer(t testing.TB, k ed25519.PrivateKey) (note.Signer, note.Verifier) {
	t.Helper()
	s, err := NewSigner("hub.tambo", k)
	if err != nil {
		t.Fatal(err)
	}
	vkey, err := VerifierKey("hub.tambo", k.Public().(ed25519.PublicKey))
	if err != nil {
		t.Fatal(err)
	}
	v, pub, err := ParseVerifierKey(vkey)
	if err != nil {
		t.Fatal(err)
	}
	if !pub.Equal(k.Public()) || v.KeyHash() != s.KeyHash() {
		t.Fatal("verifier key does not hold the key")
	}
	return s, v
}

// TestReceiptText holds the text against the form that docs/PROTOCOL.md states.
func TestReceiptText(t *testing.T) {
	r := testReceipt()
	want := "tambo receipt 1\nkind: thin\nkiosk: lima-1\nencounter: 0123456789abcdefghjk\nmanifest: " + strings.Repeat("ab", 32) + "\nlog: 7\ntime: 2026-11-22T06:30:00Z\n"
	text, err := FormatReceipt(r)
	if err != nil || text != want {
		t.Fatalf("%v\n%s", err, text)
	}
	back, err := ParseReceipt(text)
	if err != nil || back != r {
		t.Fatalf("%v %+v", err, back)
	}
	r.Kind, r.Reason = kiosk.ReceiptRefused, "the agreement is not known here"
	if text, err = FormatReceipt(r); err != nil {
		t.Fatal(err)
	}
	if back, err = ParseReceipt(text); err != nil || back != r {
		t.Fatalf("%v %+v", err, back)
	}
}

func TestReceiptStrict(t *testing.T) {
	good, _ := FormatReceipt(testReceipt())
	for name, change := range map[string][2]string{
		"head":            {"tambo receipt 1", "tambo receipt 2"},
		"kind":            {"thin", "thick"},
		"kiosk":           {"lima-1", "Lima 1"},
		"encounter":       {"0123456789abcdefghjk", "0123456789abcdefghil"},
		"digest case":     {"abab", "ABab"},
		"index sign":      {"log: 7", "log: +7"},
		"index zero":      {"log: 7", "log: 07"},
		"index negative":  {"log: 7", "log: -7"},
		"time zone":       {"06:30:00Z", "06:30:00+00:00"},
		"time fraction":   {"06:30:00Z", "06:30:00.5Z"},
		"reason on thin":  {"00Z\n", "00Z\nreason: x\n"},
		"line too many":   {"00Z\n", "00Z\nnote: x\n"},
		"line end":        {"00Z\n", "00Z"},
		"order":           {"kind: thin\nkiosk: lima-1\n", "kiosk: lima-1\nkind: thin\n"},
		"refused, silent": {"thin", "refused"},
		"trailing blank":  {"lima-1\n", "lima-1 \n"},
	} {
		bad := strings.Replace(good, change[0], change[1], 1)
		if bad == good {
			t.Fatalf("%s: the change did nothing", name)
		}
		if _, err := ParseReceipt(bad); !errors.Is(err, ErrMessage) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, change := range map[string]func(*kiosk.Receipt){
		"fraction":       func(r *kiosk.Receipt) { r.Time = r.Time.Add(time.Millisecond) },
		"reason line":    func(r *kiosk.Receipt) { r.Kind, r.Reason = kiosk.ReceiptRefused, "a\nlog: 9" },
		"reason missing": func(r *kiosk.Receipt) { r.Kind = kiosk.ReceiptRefused },
		"reason long":    func(r *kiosk.Receipt) { r.Kind, r.Reason = kiosk.ReceiptRefused, strings.Repeat("x", 500) },
	} {
		r := testReceipt()
		change(&r)
		if _, err := FormatReceipt(r); !errors.Is(err, ErrMessage) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestReceiptNote(t *testing.T) {
	s, v := signer(t, testKey)
	other, _ := signer(t, testOther)
	r := testReceipt()
	msg, err := SignReceipt(r, s)
	if err != nil {
		t.Fatal(err)
	}
	again, _ := SignReceipt(r, s)
	if !bytes.Equal(msg, again) {
		t.Error("the same receipt gave other bytes")
	}
	got, err := ReceiptFor(msg, v, r.Kiosk, r.Encounter, r.Manifest)
	if err != nil || got != r {
		t.Fatalf("%v %+v", err, got)
	}
	for i := range msg {
		bad := bytes.Clone(msg)
		bad[i] ^= 1
		if _, err := OpenReceipt(bad, v); !errors.Is(err, ErrReceipt) {
			t.Fatalf("byte %d changed: %v", i, err)
		}
	}
	forged, _ := SignReceipt(r, other)
	if _, err := OpenReceipt(forged, v); !errors.Is(err, ErrReceipt) {
		t.Errorf("another hub's key: %v", err)
	}
	both, _ := note.Sign(&note.Note{Text: receiptText(r)}, s, other)
	if _, err := OpenReceipt(both, v); !errors.Is(err, ErrReceipt) {
		t.Errorf("two signatures: %v", err)
	}
	for name, f := range map[string]func() (kiosk.Receipt, error){
		"kiosk": func() (kiosk.Receipt, error) { return ReceiptFor(msg, v, "lima-2", r.Encounter, r.Manifest) },
		"encounter": func() (kiosk.Receipt, error) {
			return ReceiptFor(msg, v, r.Kiosk, "0123456789abcdefghjm", r.Manifest)
		},
		"manifest": func() (kiosk.Receipt, error) {
			return ReceiptFor(msg, v, r.Kiosk, r.Encounter, strings.Repeat("ac", 32))
		},
	} {
		if _, err := f(); !errors.Is(err, ErrReceipt) {
			t.Errorf("another %s: %v", name, err)
		}
	}
}

func TestCode(t *testing.T) {
	c := NewCode([]byte("a certificate"))
	s := c.String()
	t.Logf("a code looks like %s", s)
	for _, form := range []string{s, strings.ToUpper(s), strings.ReplaceAll(s, "-", ""), strings.ReplaceAll(s, "-", " "), strings.ReplaceAll(s, "0", "O"), strings.ReplaceAll(s, "1", "l")} {
		back, err := ParseCode(form)
		if err != nil || back != c {
			t.Errorf("%s: %v", form, err)
		}
	}
	missed := 0
	for i := range s {
		if s[i] == '-' {
			continue
		}
		typo := []byte(s)
		typo[i] = map[bool]byte{true: 'b', false: 'a'}[typo[i] == 'a']
		if _, err := ParseCode(string(typo)); err == nil {
			missed++
		}
	}
	if missed > 3 { // one in 256 each
		t.Errorf("%d of %d mistyped characters passed", missed, len(s))
	}
	if d := NewCode([]byte("a certificate")); d.Secret == c.Secret || d.Hash() == c.Hash() {
		t.Error("two codes share a secret")
	}
}

func TestProblem(t *testing.T) {
	p := NewProblem(CodeFull, "needs %d bytes", 10)
	b, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	q, err := ParseProblem(b)
	if err != nil || *q != *p || !q.Retry() || !errors.Is(q, p) || q.Status != 507 {
		t.Fatalf("%v %+v", err, q)
	}
	if errors.Is(q, NewProblem(CodeBusy, "")) {
		t.Error("codes are confused")
	}
	for _, bad := range []string{"", "{}", `{"type":"about:blank"}`, `{"type":"tambo:"}`, "[", `{"type":7}`} {
		if _, err := ParseProblem([]byte(bad)); !errors.Is(err, ErrMessage) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	q, err = ParseProblem([]byte("{\"type\":\"tambo:new-one\",\"status\":503,\"detail\":\"a\\u001bb\",\"extra\":1}"))
	if err != nil || q.Error() != "new-one: a b" || !q.Retry() {
		t.Errorf("a problem of a later hub: %v %v", q, err)
	}
}

func TestDecodeStrict(t *testing.T) {
	good := `{"alert":"a-1","state":"seen by","by":"of-17"}`
	var m AlertWord
	if err := Decode(strings.NewReader(good), 100, &m); err != nil || m.By != "of-17" {
		t.Fatal(err, m)
	}
	for name, bad := range map[string]string{
		"unknown field":  `{"alert":"a-1","state":"seen by","by":"x","more":1}`,
		"trailing":       good + "{}",
		"state":          `{"alert":"a-1","state":"raised","by":"x"}`,
		"control":        `{"alert":"a-1","state":"done","by":"x\u0000"}`,
		"empty":          ``,
		"not an object":  `7`,
		"truncated":      good[:10],
		"trailing bytes": good + "x",
	} {
		if err := Decode(strings.NewReader(bad), 1000, new(AlertWord)); !errors.Is(err, ErrMessage) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := Decode(strings.NewReader(good), 20, new(AlertWord)); !errors.Is(err, NewProblem(CodeTooLarge, "")) {
		t.Errorf("beyond the bound: %v", err)
	}
}

func TestHave(t *testing.T) {
	for _, s := range []string{"agreement@1", "list:wanted@7", "alert:a-1@2"} {
		h, err := ParseHave(s)
		if err != nil || h.String() != s {
			t.Errorf("%s: %v", s, err)
		}
	}
	for _, s := range []string{"", "agreement", "agreement@", "agreement:x@1", "list@1", "list:W@1", "list:a@01", "list:a@-1", "list:a@+1", "thing@1", "list:a@1@1"} {
		if _, err := ParseHave(s); !errors.Is(err, ErrMessage) {
			t.Errorf("%s: %v", s, err)
		}
	}
}

func FuzzReceipt(f *testing.F) {
	good, _ := FormatReceipt(testReceipt())
	f.Add(good)
	f.Add(strings.Replace(good, "thin", "refused", 1) + "reason: no\n")
	f.Fuzz(func(t *testing.T, text string) {
		r, err := ParseReceipt(text)
		if err != nil {
			return
		}
		if back, err := FormatReceipt(r); err != nil || back != text {
			t.Fatalf("%v: %q read back as %q", err, text, back)
		}
	})
}

func FuzzNote(f *testing.F) {
	s, err := NewSigner("hub.tambo", testKey)
	if err != nil {
		f.Fatal(err)
	}
	_, v := signer(f, testKey)
	msg, _ := SignReceipt(testReceipt(), s)
	f.Add(msg)
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := OpenReceipt(b, v)
		if err == nil && r != testReceipt() {
			t.Fatalf("a receipt that nobody signed: %+v", r)
		}
	})
}

// FuzzMessages feeds every JSON decoder; what one accepts, it reads back the same.
func FuzzMessages(f *testing.F) {
	for _, s := range []string{
		`{"alert":"a-1","state":"done","by":"x"}`,
		`{"state":"thin","missing":[{"part":"p","upload":"k.` + strings.Repeat("a", 64) + `","offset":3,"begun":true}],"receipts":["x"]}`,
		`{"documents":[{"kind":"time","version":1,"issued":"2026-01-01T00:00:00Z","data":"eA=="}],"checkpoint":"x"}`,
		`{"request":"eA=="}`, `{"certificate":"eA=="}`, `{"index":1,"proof":[],"checkpoint":""}`, `{"type":"tambo:x"}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, make := range []func() message{
			func() message { return new(ProvisionRequest) }, func() message { return new(ProvisionAnswer) },
			func() message { return new(RenewRequest) }, func() message { return new(RenewAnswer) },
			func() message { return new(PackageAnswer) }, func() message { return new(DownAnswer) },
			func() message { return new(AlertWord) }, func() message { return new(ProofAnswer) },
		} {
			m := make()
			if Decode(bytes.NewReader(b), MaxMessage, m) != nil {
				continue
			}
			out, err := json.Marshal(m)
			if err != nil {
				t.Fatal(err)
			}
			if err := Decode(bytes.NewReader(out), 4*MaxMessage, make()); err != nil {
				t.Fatalf("%T does not read back: %v", m, err)
			}
		}
		ParseProblem(b)
	})
}

func FuzzCodeAndHave(f *testing.F) {
	f.Add(NewCode(nil).String())
	f.Add("list:wanted@7")
	f.Add("k." + strings.Repeat("a", 64))
	f.Fuzz(func(t *testing.T, s string) {
		if c, err := ParseCode(s); err == nil {
			if d, err := ParseCode(c.String()); err != nil || d != c {
				t.Fatal("code does not read back")
			}
		}
		ParseHave(s)
		if k, d, err := ParseUploadID(s); err == nil && UploadID(k, d) != s {
			t.Fatal("upload id does not read back")
		}
		if v, _, err := ParseVerifierKey(s); err == nil && v.Name() == "" {
			t.Fatal("verifier without a name")
		}
	})
}
