package store

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"tambo/kiosk"
	"tambo/store/seal"
)

// The crash tests run a worker as a process of its own: encounter after
// encounter from first save to purge, saying each step once the vault has
// confirmed it. Whatever it had said when it died must be true of what is found.

const (
	workerEnv = "TAMBO_CRASH_WORKER" // the vault's folder
	sayEnv    = "TAMBO_CRASH_SAY"    // where to say it; empty: standard output
	faultEnv  = "TAMBO_CRASH_FAULT"  // a promise to break
	longEnv   = "TAMBO_LONG"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(workerEnv); dir != "" {
		if err := work(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// imageOf is what an encounter's image holds: a function of its id, so that
// whoever finds it knows what it must be.
func imageOf(id kiosk.EncounterID, step int) []byte {
	seed := sha256.Sum256(fmt.Append(nil, id, step))
	b := make([]byte, 3000+int(seed[0])*100)
	rand.NewChaCha8(seed).Read(b)
	return b
}

func work(dir string) error {
	say := io.Writer(os.Stdout)
	if path := os.Getenv(sayEnv); path != "" {
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
		if err != nil {
			return err
		}
		defer f.Close()
		say = f
	}
	v, err := Open(dir, Options{Argon2: cheap, Reserve: -1})
	if err != nil {
		return err
	}
	defer v.Close()
	switch os.Getenv(faultEnv) {
	case "erase first":
		v.fault.eraseFirst = true
	case "no sync":
		v.fault.skipFileSync = true
	}
	s, _, err := v.Unlock(bg, "of-1", []byte(pwO))
	if err != nil {
		return err
	}
	_, digest, err := v.Agreement()
	if err != nil {
		return err
	}
	drafts, err := v.DraftIDs()
	if err != nil {
		return err
	}
	for _, id := range drafts { // what the last run left is gone on with
		e, err := s.Draft(bg, id)
		if err != nil {
			return err
		}
		if err := walk(v, s, e, say); err != nil {
			return err
		}
	}
	rounds := 1 << 30
	if n := os.Getenv("TAMBO_CRASH_ROUNDS"); n != "" {
		fmt.Sscan(n, &rounds)
	}
	for range rounds {
		e := &kiosk.Encounter{ID: kiosk.NewEncounterID(), Kiosk: "lima-1", State: kiosk.StateDraft, Agreement: digest, Visit: kiosk.VisitIntake}
		if err := walk(v, s, e, say); err != nil {
			return err
		}
		if err := deliver(v, say); err != nil {
			return err
		}
	}
	return nil
}

const crashSteps = 4

// walk takes a draft from where it stands to sealing, with a notice and a
// dropped image on the way.
func walk(v *Vault, s *Subjects, e *kiosk.Encounter, say io.Writer) error {
	for len(e.Captures) < crashSteps {
		n := len(e.Captures) + 1
		name := fmt.Sprintf("image-%d", n)
		e.Captures = append(e.Captures, kiosk.Capture{ID: kiosk.CaptureID(n), Part: name})
		if err := s.SaveDraft(bg, e, map[string][]byte{name: imageOf(e.ID, n)}); err != nil {
			return err
		}
		fmt.Fprintln(say, "saved", e.ID, n)
		if n == 2 {
			e.Captures[0].Cleared = true
			if err := s.DropImages(bg, e.ID, "image-1"); err != nil {
				return err
			}
			fmt.Fprintln(say, "dropped", e.ID, 1)
		}
	}
	parts := []Part{{"templates", kiosk.PartTemplates, imageOf(e.ID, 90)}, {"record", kiosk.PartRecord, imageOf(e.ID, 91)}}
	for n := 2; n <= crashSteps; n++ {
		parts = append(parts, Part{fmt.Sprintf("image-%d", n), kiosk.PartImages, imageOf(e.ID, n)})
	}
	c := kiosk.IndexCard{Encounter: e.ID, Wristband: string(e.ID)}
	i, err := s.Seal(bg, e, kiosk.PackageEncounter, parts, &c)
	if err != nil {
		return err
	}
	fmt.Fprintln(say, "sealed", e.ID, i.ID)
	return nil
}

// deliver gives receipts to all but the newest two packages and purges all but
// the newest four of those.
func deliver(v *Vault, say io.Writer) error {
	out, err := v.Outbox(bg)
	if err != nil {
		return err
	}
	for i, p := range out {
		if i < len(out)-2 && p.State != kiosk.StateDelivered {
			if err := v.ApplyReceipt(p.ID, kiosk.ReceiptComplete, []byte("complete")); err != nil {
				return err
			}
			fmt.Fprintln(say, "receipted", p.Encounter, p.ID)
		}
		if i < len(out)-4 {
			if err := v.Purge(p.ID); err != nil {
				return err
			}
			fmt.Fprintln(say, "purged", p.Encounter, p.ID)
		}
	}
	return nil
}

// said is what a worker had said when it died.
type said struct {
	saved   map[string]int    // encounter → steps
	dropped map[string]bool   // encounter
	sealed  map[string]string // encounter → package
	receipt map[string]bool   // package
	purged  map[string]bool   // package
	lines   int
}

func newSaid() *said {
	return &said{map[string]int{}, map[string]bool{}, map[string]string{}, map[string]bool{}, map[string]bool{}, 0}
}

func (s *said) hear(line string) {
	f := strings.Fields(line)
	if len(f) != 3 {
		return
	}
	s.lines++
	switch f[0] {
	case "saved":
		n := 0
		fmt.Sscan(f[2], &n)
		s.saved[f[1]] = max(s.saved[f[1]], n)
	case "dropped":
		s.dropped[f[1]] = true
	case "sealed":
		s.sealed[f[1]] = f[2]
	case "receipted":
		s.receipt[f[2]] = true
	case "purged":
		s.purged[f[2]] = true
	}
}

// verify opens the vault that a dead worker left and holds it against what was
// said.
func (s *said) verify(dir string, private map[kiosk.RecipientRole][]byte) error {
	v, err := Open(dir, Options{Argon2: cheap, Reserve: -1})
	if err != nil {
		return err
	}
	defer v.Close()
	sub, _, err := v.Unlock(bg, "of-1", []byte(pwO))
	if err != nil {
		return err
	}
	drafts, err := v.DraftIDs()
	if err != nil {
		return err
	}
	open := 0
	for id, steps := range s.saved {
		ps, err := v.Packages(kiosk.EncounterID(id))
		if err != nil {
			return err
		}
		draft := slices.Contains(drafts, kiosk.EncounterID(id))
		switch {
		case draft && len(ps) > 0:
			return fmt.Errorf("%s is a draft and sealed", id)
		case !draft && len(ps) == 0:
			return fmt.Errorf("%s is lost: neither draft nor package after %d confirmed steps", id, steps)
		case s.sealed[id] != "" && (len(ps) != 1 || ps[0].ID != s.sealed[id]):
			return fmt.Errorf("%s: the confirmed package %.8s is not there, but %d others", id, s.sealed[id], len(ps))
		case len(ps) > 1:
			return fmt.Errorf("%s was sealed %d times", id, len(ps))
		}
		if draft {
			open++
			err = s.verifyDraft(sub, kiosk.EncounterID(id), steps)
		} else {
			err = s.verifyPackage(v, ps[0], private)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", id, err)
		}
	}
	return s.verifyRest(v, sub, drafts)
}

func (s *said) verifyDraft(sub *Subjects, id kiosk.EncounterID, steps int) error {
	e, err := sub.Draft(bg, id)
	if err != nil {
		return err
	}
	if len(e.Captures) < steps {
		return fmt.Errorf("has %d steps of %d confirmed", len(e.Captures), steps)
	}
	for _, c := range e.Captures {
		b, err := sub.Image(bg, id, c.Part)
		if c.ID == 1 && errors.Is(err, ErrNoImage) && len(e.Captures) > 1 {
			continue // dropped
		}
		if err != nil {
			return err
		}
		if c.ID == 1 && s.dropped[string(id)] {
			return errors.New("the dropped image is there again")
		}
		if !bytes.Equal(b, imageOf(id, int(c.ID))) {
			return fmt.Errorf("image %d is another", c.ID)
		}
	}
	return nil
}

func (s *said) verifyPackage(v *Vault, p OutboxItem, private map[kiosk.RecipientRole][]byte) error {
	if s.purged[p.ID] && p.State != kiosk.StatePurged {
		return fmt.Errorf("was purged and is %s", p.State)
	}
	if s.receipt[p.ID] && p.State != kiosk.StateDelivered && p.State != kiosk.StatePurged {
		return fmt.Errorf("had a receipt and is %s", p.State)
	}
	if p.State == kiosk.StatePurged {
		return nil
	}
	for _, part := range p.Parts {
		r, _, err := v.SealedPart(p.ID, part.Name)
		if err != nil {
			return err
		}
		sealed, err := io.ReadAll(r)
		r.Close()
		if err != nil {
			return err
		}
		if seal.Digest(sealed) != part.Digest {
			return fmt.Errorf("part %s is not what was signed", part.Name)
		}
		b := seal.Binding{Kiosk: "lima-1", Encounter: p.Encounter, Agreement: p.Agreement, KeyID: part.KeyID, Part: part.Name}
		if err := seal.Open(io.Discard, bytes.NewReader(sealed), private[part.Kind.Recipient()], b, v.PublicKey()); err != nil {
			return err
		}
	}
	return nil
}

// verifyRest: no damage, no key and no file that belongs to nothing, a card for
// every sealed encounter.
func (s *said) verifyRest(v *Vault, sub *Subjects, drafts []kiosk.EncounterID) error {
	st, err := v.Status()
	if err != nil {
		return err
	}
	if len(st.Damage) > 0 {
		return fmt.Errorf("damage: %v", st.Damage)
	}
	held := st.Waiting + st.Thin + st.Delivered + st.Refused
	if n, want := len(v.ring.Refs()), 3+len(drafts)+held+st.Cards; n != want {
		return fmt.Errorf("%d keys, want %d", n, want)
	}
	files, err := os.ReadDir(v.path(""))
	if err != nil {
		return err
	}
	if len(files) != len(drafts)+held {
		return fmt.Errorf("%d encounter files, want %d", len(files), len(drafts)+held)
	}
	cards := 0
	err = sub.Cards(bg, func(kiosk.IndexCard) error { cards++; return nil })
	if cards < len(s.sealed) || cards != st.Cards {
		return fmt.Errorf("%d cards for %d sealed encounters", cards, len(s.sealed))
	}
	return err
}

// crashVault makes a provisioned vault for workers and closes it.
func crashVault(t *testing.T) *world {
	w := newWorld(t)
	w.v.Close()
	return w
}

func worker(ctx context.Context, dir, fault string, more ...string) *exec.Cmd {
	exe, err := os.Executable()
	if err != nil {
		panic(err)
	}
	c := exec.CommandContext(ctx, exe)
	c.Env = append(os.Environ(), workerEnv+"="+dir, faultEnv+"="+fault)
	c.Env = append(c.Env, more...)
	return c
}

// killLoop kills a worker at random moments and verifies after each. It returns
// the first broken promise.
func killLoop(t *testing.T, w *world, s *said, rounds int, fault string) error {
	r := rand.New(rand.NewPCG(uint64(rounds), 99))
	for i := range rounds {
		cmd := worker(context.Background(), w.dir, fault)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		// Some die early, some between two lines, some in the midst of a step.
		after, delay := r.IntN(14), time.Duration(r.IntN(30_000))*time.Microsecond
		lines := bufio.NewScanner(out)
		for n := 0; n < after && lines.Scan(); n++ {
			s.hear(lines.Text())
		}
		time.Sleep(delay)
		cmd.Process.Kill()
		for lines.Scan() {
			s.hear(lines.Text())
		}
		cmd.Wait()
		if stderr.Len() > 0 {
			return fmt.Errorf("round %d: worker: %s", i, &stderr)
		}
		if err := s.verify(w.dir, w.private); err != nil {
			return fmt.Errorf("round %d: %w", i, err)
		}
	}
	return nil
}

// TestKill kills the worker at random moments: 25 times in the short form, 1,000
// with TAMBO_LONG=1.
func TestKill(t *testing.T) {
	rounds := 25
	if os.Getenv(longEnv) != "" {
		rounds = 1000
	}
	if testing.Short() {
		rounds = 5
	}
	w, s := crashVault(t), newSaid()
	begun := time.Now()
	if err := killLoop(t, w, s, rounds, ""); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d kills in %v: %d confirmed steps, %d sealed, %d purged, none lost", rounds, time.Since(begun).Round(time.Millisecond), s.lines, len(s.sealed), len(s.purged))
}

// TestKillHasTeeth: a vault that destroys the draft before the package is
// committed must be caught.
func TestKillHasTeeth(t *testing.T) {
	if testing.Short() {
		t.Skip("long")
	}
	w, s := crashVault(t), newSaid()
	for n := 1; n <= 40; n++ {
		if err := killLoop(t, w, s, 10, "erase first"); err != nil {
			t.Logf("caught within %d kills: %v", 10*n, err)
			return
		}
	}
	t.Error("400 kills did not catch a vault that erases before it commits")
}
