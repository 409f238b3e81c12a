package app

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestNoDisplayIsASentence(t *testing.T) {
	t.Setenv("DISPLAY", "")
	t.Setenv("WAYLAND_DISPLAY", "")
	config := filepath.Join(t.TempDir(), "kiosk.json")
	if err := os.WriteFile(config, []byte(`{"vault":"vault"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	for display, want := range map[string]string{"": "there is no display", ":9471": "does not answer"} {
		t.Setenv("DISPLAY", display)
		var out, errs bytes.Buffer
		if code := Run(t.Context(), []string{"--config", config}, &out, &errs); code != 1 || !strings.Contains(errs.String(), want) || strings.Count(errs.String(), "\n") != 1 {
			t.Errorf("DISPLAY=%q: status %d, said %q", display, code, errs.String())
		}
	}
}

func TestConfiguration(t *testing.T) {
	dir := t.TempDir()
	write := func(s string) string {
		p := filepath.Join(dir, "kiosk.json")
		if err := os.WriteFile(p, []byte(s), 0o600); err != nil {
			t.Fatal(err)
		}
		return p
	}
	c, err := load(write(`{"vault":"vault","devices":"usbip 127.0.0.1:3240","window":"1920x1080","idleLock":"90s"}`))
	if err != nil || c.Vault != filepath.Join(dir, "vault") || c.usbip != "127.0.0.1:3240" || c.width != 1920 || c.idle != 90*time.Second || c.CrashLog != filepath.Join(dir, "crash.log") {
		t.Errorf("%+v, %v", c, err)
	}
	for body, want := range map[string]string{
		`{}`:                                    "vault is missing",
		`{"vault":"v","window":"800x600"}`:      "smaller",
		`{"vault":"v","devices":"anything"}`:    "neither",
		`{"vault":"v","language":"qu"}`:         "neither es nor en",
		`{"vault":"v","idleLock":"never"}`:      "idleLock",
		`{"vault":"v","password":"secret"}`:     "unknown field",
		`{"vault":"v"} {"vault":"w"}`:           "something follows",
		`{"vault":"v","pixelsPerMillimetre":0}`: "2 to 20",
	} {
		if _, err := load(write(body)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", body, err)
		}
	}
}

// TestCrashLogHoldsNoWords: a panic that quotes a person, in its words and in
// its arguments, leaves neither in the log, and the way there is in it.
func TestCrashLogHoldsNoWords(t *testing.T) {
	said := "level=INFO msg=before\n" +
		"panic: cannot draw OLLANTA DABROWSKI born 1987 [recovered]\n\n" +
		"goroutine 1 [running]:\n" +
		"tambo/kiosk/ui.(*Controller).fail(0xc000123400, {0x1234, \"OLLANTA\"})\n" +
		"\t/src/tambo/kiosk/ui/frame.go:120 +0x1a5\n" +
		"OLLANTA DABROWSKI\n" +
		"main.main()\n" +
		"\t/src/tambo/cmd/tambo/main.go:18 +0x2b\n"
	var c crashLog
	var pass bytes.Buffer
	c.take(strings.NewReader(said), &pass)
	path := filepath.Join(t.TempDir(), "crash.log")
	if err := c.write(path, time.Now(), "exit status 2"); err != nil {
		t.Fatal(err)
	}
	b, _ := os.ReadFile(path)
	if strings.Contains(string(b), "OLLANTA") || strings.Contains(string(b), "1987") {
		t.Errorf("the crash log quotes a person:\n%s", b)
	}
	for _, want := range []string{"kiosk/ui.(*Controller).fail", "ui/frame.go:120", "main.main", "exit status 2"} {
		if !strings.Contains(string(b), want) {
			t.Errorf("%q is not in the crash log:\n%s", want, b)
		}
	}
	if pass.String() != said {
		t.Error("what the window said was not passed on whole")
	}
}

func TestPower(t *testing.T) {
	dir := t.TempDir()
	for name, files := range map[string]map[string]string{
		"AC":    {"type": "Mains", "online": "0"},
		"BAT0":  {"type": "Battery", "capacity": "37"},
		"mouse": {"type": "Battery", "capacity": "5", "scope": "Device"},
	} {
		for f, v := range files {
			if err := os.MkdirAll(filepath.Join(dir, name), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, name, f), []byte(v+"\n"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	if p := power(dir); !p.Known || p.Mains || p.Percent != 37 {
		t.Errorf("%+v", p)
	}
	if p := power(filepath.Join(dir, "none")); p.Known {
		t.Errorf("%+v", p)
	}
}
