package app

import (
	"context"
	"fmt"
	"image"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tambo/kiosk"
	"tambo/kiosk/specimen/page"
)

// programs builds what the walk starts, beside this test.
func programs(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("builds and runs three programs")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"tambo-hub", "tambo-devsim"} {
		out, err := exec.Command("go", "build", "-o", filepath.Join(filepath.Dir(self), name), "tambo/cmd/"+name).CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", name, err, out)
		}
	}
}

// A hit that the hub does not answer with an alert of its own must fail the
// walk: otherwise nobody would notice a hub that no longer matches.
func TestWalkFailsWithoutTheHubsAlert(t *testing.T) {
	programs(t)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	var out strings.Builder
	w, err := newWalk(ctx, walkOptions{dir: t.TempDir(), seed: 3}, &out)
	if err != nil {
		t.Fatal(err)
	}
	defer w.close()
	if _, err := w.newcomer(ctx); err != nil { // nobody is found, nobody is alerted of
		t.Fatalf("%v\n%s", err, out.String())
	}
	got, err := w.enrol(ctx, w.cast.stranger, 1, "0501", w.cast.pages[1])
	if err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	if err := w.deliver(ctx, got); err != nil {
		t.Fatalf("a stranger: %v", err)
	}
	got.found = []kiosk.Candidate{{Kind: kiosk.CandidateWatch}} // as if the kiosk had found somebody whom the hub does not know
	if err := w.deliver(ctx, got); err == nil || !strings.Contains(err.Error(), "no alert") {
		t.Errorf("a hit of which the hub knows nothing: %v", err)
	}
}

// Pages that cannot be read, or not with certainty, are ordinary days: the walk
// goes on, says so, and never accepts what it could not read.
func TestWalkWithBadPages(t *testing.T) {
	programs(t)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	dir := t.TempDir()
	holder := page.NewHolder(310)
	lines := holder.MRZ()
	digit := []byte(lines[1]) // the check digit of the document number
	digit[9] = '0' + (digit[9]-'0'+1)%10
	forged := page.DrawZone(holder, [2]string{lines[0], string(digit)}, 300)
	writePNG(t, dir, "noise.png", noise(forged.Bounds()))
	writePNG(t, dir, "digit.png", forged)
	var out strings.Builder
	w, err := newWalk(ctx, walkOptions{dir: t.TempDir(), seed: 3, pages: dir}, &out)
	if err != nil {
		t.Fatal(err)
	}
	defer w.close()
	for i, c := range []struct{ page, says string }{{"noise", "exception  document: unreadable"}, {"digit", "not every field is certain"}} {
		before := out.Len()
		got, err := w.enrol(ctx, []string{w.cast.newcomer, w.cast.stranger}[i], 1, fmt.Sprintf("050%d", i), c.page)
		said := out.String()[before:]
		if err != nil {
			t.Fatalf("%s: %v\n%s", c.page, err, said)
		}
		if f := got.encounter.Identity.DocumentNumber; f.Status == kiosk.FieldChecked || f.Status == kiosk.FieldRead {
			t.Errorf("%s: the document number was accepted: %+v", c.page, f)
		}
		if !strings.Contains(said, c.says) {
			t.Errorf("%s: nothing was said of the page\n%s", c.page, said)
		}
	}
}

func noise(b image.Rectangle) image.Image {
	rng := rand.New(rand.NewPCG(1, 2))
	g := image.NewGray(b)
	for i := range g.Pix {
		g.Pix[i] = byte(rng.IntN(256))
	}
	return g
}
