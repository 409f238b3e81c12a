package app

import (
	"context"
	"fmt"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"tambo/devices/discover"
	"tambo/devices/tesseract"
	"tambo/devices/usb/usbip"
	"tambo/devices/virtual/control"
	"tambo/kiosk"
	"tambo/kiosk/policy"
	"tambo/kiosk/session"
	"tambo/kiosk/session/stored"
	"tambo/kiosk/specimen/eye"
	"tambo/kiosk/specimen/page"
	"tambo/store"
	"tambo/store/keyring"
	"tambo/sync/courier"
)

// The walk's operators. Their passwords protect a training kiosk for as long as
// the walk runs.
const (
	officerLabel, officerPassword       = "of-1", "training officer"
	supervisorLabel, supervisorPassword = "su-1", "training supervisor"
)

// walk is a training hub, a simulator and a kiosk at work.
type walk struct {
	o    walkOptions
	out  io.Writer
	log  *os.File
	line int
	dir  string

	hubDir, hubAddr string
	busAddr         string // of the virtual devices
	hub, devsim     *process
	scene           *control.Client
	cast            cast

	vault     *store.Vault
	bus       *usbip.Bus
	courier   *courier.Courier
	svc       *session.Service
	agreement kiosk.Agreement
}

// newWalk starts everything and signs the officer in.
func newWalk(ctx context.Context, o walkOptions, out io.Writer) (_ *walk, err error) {
	w, err := begin(o, out)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			w.close()
		}
	}()
	for _, step := range []func(context.Context) error{w.initHub, w.provision, w.startDevices, w.signIn} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	return w, nil
}

// begin makes the walk's folder and chooses who comes.
func begin(o walkOptions, out io.Writer) (w *walk, err error) {
	w = &walk{o: o, out: out, dir: o.dir, hubDir: filepath.Join(o.dir, "hub")}
	if err := os.MkdirAll(w.dir, 0o700); err != nil {
		return nil, err
	}
	if w.cast, err = newCast(o); err != nil {
		return nil, err
	}
	if w.log, err = os.Create(w.path("processes.log")); err != nil {
		return nil, err
	}
	w.title("set-up")
	return w, nil
}

func (w *walk) close() {
	if w.svc != nil {
		w.svc.Lock(context.Background())
	}
	if w.scene != nil {
		w.scene.Close()
	}
	if w.bus != nil {
		w.bus.Close()
	}
	if w.vault != nil {
		w.vault.Close()
	}
	w.devsim.stop()
	w.hub.stop()
	if w.log != nil {
		w.log.Close()
	}
}

func (w *walk) initHub(ctx context.Context) error {
	start := time.Now()
	if _, err := run(ctx, "tambo-hub", "init", "--dir", w.hubDir, "--training"); err != nil {
		return err
	}
	w.hubAddr = "127.0.0.1:0"
	if err := w.startHub(ctx); err != nil {
		return err
	}
	w.say("hub", "training hub on %s · %s", w.hubAddr, ms(start))
	return nil
}

// startHub starts the hub where it was before.
func (w *walk) startHub(ctx context.Context) (err error) {
	port := w.path("hub.addr")
	os.Remove(port)
	if w.hub, err = start("tambo-hub", w.log, "serve", "--dir", w.hubDir, "--listen", w.hubAddr, "--port-file", port); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	w.hubAddr, err = w.hub.waitFile(ctx, port)
	return err
}

func (w *walk) startDevices(ctx context.Context) (err error) {
	start1 := time.Now()
	port, socket := w.path("devsim.addr"), w.path("devsim.sock")
	args := []string{"--listen", "127.0.0.1:0", "--port-file", port, "--control", socket, "--quiet"}
	if w.o.eyes != "" {
		args = append(args, "--eyes", w.o.eyes)
	}
	if w.o.pages != "" {
		args = append(args, "--pages", w.o.pages)
	}
	if w.devsim, err = start("tambo-devsim", w.log, args...); err != nil {
		return err
	}
	wait, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	addr, err := w.devsim.waitFile(wait, port)
	if err != nil {
		return err
	}
	if w.scene, err = control.Dial(ctx, socket); err != nil {
		return err
	}
	w.busAddr = addr
	// Virtual devices are no way in: the bus opens only under an agreement that
	// says that it is training.
	if w.bus, err = usbip.New(addr, w.agreement.Training); err != nil {
		return err
	}
	found, err := discover.New(w.bus).List(ctx)
	if err != nil {
		return err
	}
	var names []string
	for _, f := range found {
		names = append(names, fmt.Sprintf("%s (%s, port %s)", f.Info.Kind, f.Info.Driver, f.Info.Port))
	}
	w.say("devices", "%s · over USB/IP on %s · %s", strings.Join(names, ", "), addr, ms(start1))
	return nil
}

// provision makes the kiosk's vault and gives it its hub and first operators.
func (w *walk) provision(ctx context.Context) (err error) {
	start := time.Now()
	out, err := run(ctx, "tambo-hub", "kiosk", "add", "--dir", w.hubDir, "--id", "kiosk-1", "--site", "North gate")
	if err != nil {
		return err
	}
	code := firstLine(out)
	if w.vault, err = store.Create(w.path("kiosk"), store.CreateOptions{Code: code}); err != nil {
		return err
	}
	w.courier = courier.New(courier.Config{Vault: w.vault})
	id, err := w.courier.Provision(ctx, code, "https://"+w.hubAddr, nil)
	if err != nil {
		return err
	}
	if w.agreement, _, err = w.vault.Agreement(); err != nil {
		return err
	}
	if !w.agreement.Training {
		return fmt.Errorf("the walk runs under a training agreement only; %s is none", w.agreement.ID)
	}
	err = w.vault.Begin(ctx, code,
		keyring.NewOperator{Operator: kiosk.Operator{Label: supervisorLabel, Role: kiosk.RoleSupervisor}, Password: supervisorPassword},
		keyring.NewOperator{Operator: kiosk.Operator{Label: officerLabel, Role: kiosk.RoleOfficer}, Password: officerPassword})
	if err != nil {
		return err
	}
	w.say("kiosk", "%s at %s provisioned · %s, until %s · %s", id.Kiosk, id.Site, w.agreement.Title, w.agreement.Expires.Format(time.DateOnly), ms(start))
	return nil
}

func (w *walk) signIn(ctx context.Context) error {
	start := time.Now()
	w.svc = session.New(session.Config{Vault: stored.Vault{Vault: w.vault}, Devices: discover.New(w.bus), Text: tesseract.Reader()})
	op, err := w.svc.SignIn(ctx, officerLabel, []byte(officerPassword))
	if err != nil {
		return err
	}
	w.say("sign-in", "%s, %s · %s", op.Label, op.Role, ms(start))
	return nil
}

// bring seats a person and lays a page on the glass.
func (w *walk) bring(person string, visit int, page string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	for _, request := range []string{"person " + person, fmt.Sprintf("visit %d", visit), "page " + page} {
		if _, err := w.scene.Do(ctx, request); err != nil {
			return fmt.Errorf("%s: %w", request, err)
		}
	}
	return nil
}

// round is one round of the courier, up and down. Nobody need be signed in.
func (w *walk) round(ctx context.Context) error {
	start := time.Now()
	r, err := w.courier.Round(ctx)
	if err != nil {
		return err
	}
	for _, i := range r.Items {
		return fmt.Errorf("package %s stays: %w", i.ID[:8], i.Err)
	}
	var what []string
	if r.Thin > 0 {
		what = append(what, fmt.Sprintf("thin receipt for %d", r.Thin))
	}
	if r.Delivered > 0 {
		what = append(what, fmt.Sprintf("receipt for %d", r.Delivered))
	}
	if r.Purged > 0 {
		what = append(what, fmt.Sprintf("purged %d", r.Purged))
	}
	if r.Documents > 0 {
		what = append(what, fmt.Sprintf("%d documents came down", r.Documents))
	}
	if len(what) == 0 {
		what = []string{"nothing to carry"}
	}
	w.say("road", "%s · %s bytes · %s", strings.Join(what, " · "), thousands(r.Bytes), ms(start))
	return nil
}

// deliver carries until an encounter is purged here, and says what the hub
// thinks of it.
func (w *walk) deliver(ctx context.Context, got enrolled) error {
	id := got.encounter.ID
	for range 5 {
		if err := w.round(ctx); err != nil {
			return err
		}
		n, err := w.waiting(ctx, id)
		if err != nil {
			return err
		}
		if n == 0 {
			return w.sayAlerts(ctx, got)
		}
	}
	return fmt.Errorf("encounter %s was not delivered", id)
}

// The hub searches for itself when a record has come: after a hit here its
// alert must follow.
const (
	alertWait  = 5 * time.Second
	alertPause = 100 * time.Millisecond
)

// sayAlerts says what the hub's own search raised about an encounter. After a
// hit at the kiosk it runs the courier's rounds until the alert has come, and
// fails when none came in five seconds; after none it looks once.
func (w *walk) sayAlerts(ctx context.Context, got enrolled) error {
	for start := time.Now(); ; {
		if _, err := w.courier.Round(ctx); err != nil {
			return err
		}
		alerts, err := w.svc.Receive(ctx)
		if err != nil {
			return err
		}
		alerts = slices.DeleteFunc(slices.Clone(alerts), func(a kiosk.Alert) bool { return a.Encounter != got.encounter.ID })
		for _, a := range alerts {
			w.say("alert", "%s by the hub · %s · %s", a.State, a.Candidate.Kind, confirmed(a.Confirmed))
		}
		switch {
		case len(alerts) > 0 || len(got.found) == 0:
			return nil
		case time.Since(start) > alertWait:
			return fmt.Errorf("encounter %s was found here and the hub raised no alert in %s", got.encounter.ID, alertWait)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(alertPause):
		}
	}
}

func confirmed(yes bool) string {
	if yes {
		return "confirmed by a person"
	}
	return "not yet confirmed by a person"
}

// waiting counts an encounter's packages that are not purged.
func (w *walk) waiting(ctx context.Context, id kiosk.EncounterID) (int, error) {
	all, err := w.vault.Outbox(ctx)
	n := 0
	for _, x := range all {
		if x.Encounter == id && x.State != kiosk.StatePurged {
			n++
		}
	}
	return n, err
}

func (w *walk) outbox(ctx context.Context) []session.Waiting {
	all, err := stored.Vault{Vault: w.vault}.Outbox(ctx)
	if err != nil {
		w.say("outbox", "%v", err)
	}
	return all
}

// cast is who comes: names or numbers that the simulator knows.
type cast struct {
	newcomer, watched, stranger string
	pages                       []string // four
}

// newCast picks the people: three of a folder of eyes, or generated ones.
func newCast(o walkOptions) (cast, error) {
	n := func(i uint64) string { return strconv.FormatUint(o.seed*100+i, 10) }
	c := cast{newcomer: n(1), watched: n(2), stranger: n(3)}
	if o.eyes != "" {
		people, err := peopleOf(o.eyes)
		if err != nil {
			return c, err
		}
		if len(people) < 3 {
			return c, fmt.Errorf("%s holds %d people with both eyes and two captures of each; the walk needs 3", o.eyes, len(people))
		}
		c.newcomer, c.watched, c.stranger = people[0], people[1], people[2]
	}
	// Four adults' pages: a minor's would rightly stop the machine.
	for i := o.seed*100 + 10; len(c.pages) < 4; i++ {
		if policy.BandAt(page.NewHolder(i).Birth, time.Now()) == kiosk.BandAdult {
			c.pages = append(c.pages, strconv.FormatUint(i, 10))
		}
	}
	if o.pages != "" {
		names, err := pagesOf(o.pages)
		if err != nil {
			return c, err
		}
		if len(names) == 0 {
			return c, fmt.Errorf("%s holds no pages", o.pages)
		}
		for i := range c.pages {
			c.pages[i] = names[i%len(names)]
		}
	}
	return c, nil
}

// eyesOf lists the files of a folder of eyes by person and eye, in order of
// their names. What a file is called must mean the same to tambo-devsim, which
// shows them.
func eyesOf(dir string) (map[string]map[kiosk.Eye][]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	out := map[string]map[kiosk.Eye][]string{}
	for _, e := range entries {
		name, side, ok := splitEye(e.Name())
		if !ok || e.IsDir() {
			continue
		}
		if out[name] == nil {
			out[name] = map[kiosk.Eye][]string{}
		}
		out[name][side] = append(out[name][side], filepath.Join(dir, e.Name()))
	}
	return out, nil
}

// splitEye reads PERSON and side of the name of an image file. PERSON may have
// underscores.
func splitEye(file string) (person string, side kiosk.Eye, ok bool) {
	if !imageFile(file) {
		return "", 0, false
	}
	base := strings.TrimSuffix(file, filepath.Ext(file)) + "_"
	for mark, eye := range map[string]kiosk.Eye{"_L_": kiosk.EyeLeft, "_R_": kiosk.EyeRight} {
		if i := strings.LastIndex(base, mark); i > len(person) {
			person, side, ok = base[:i], eye, true
		}
	}
	return person, side, ok
}

func imageFile(name string) bool {
	switch strings.ToLower(filepath.Ext(name)) {
	case ".png", ".bmp", ".jpg", ".jpeg":
		return true
	}
	return false
}

// peopleOf lists those in a folder who have two captures of each eye.
func peopleOf(dir string) ([]string, error) {
	files, err := eyesOf(dir)
	if err != nil {
		return nil, err
	}
	var out []string
	for name, f := range files {
		if len(f[kiosk.EyeLeft]) >= 2 && len(f[kiosk.EyeRight]) >= 2 {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out, nil
}

func pagesOf(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, e := range entries {
		if e.IsDir() || !imageFile(e.Name()) {
			continue
		}
		name, _, _ := strings.Cut(strings.TrimSuffix(e.Name(), filepath.Ext(e.Name())), "_")
		out = append(out, name)
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

// listImages returns the image files with which the watched person is put on
// the list: captures of another day than the one on which they come.
func (w *walk) listImages() (left, right string, err error) {
	if w.o.eyes != "" {
		files, err := eyesOf(w.o.eyes)
		if err != nil {
			return "", "", err
		}
		l, r := files[w.cast.watched][kiosk.EyeLeft], files[w.cast.watched][kiosk.EyeRight]
		if len(l) == 0 || len(r) == 0 {
			return "", "", fmt.Errorf("no images of %s", w.cast.watched)
		}
		return l[0], r[0], nil
	}
	seed, err := strconv.ParseUint(w.cast.watched, 10, 64)
	if err != nil {
		return "", "", err
	}
	left, right = w.path("list-left.png"), w.path("list-right.png")
	for e, path := range map[kiosk.Eye]string{kiosk.EyeLeft: left, kiosk.EyeRight: right} {
		if err := writeEye(path, seed, e); err != nil {
			return "", "", err
		}
	}
	return left, right, nil
}

func writeEye(path string, person uint64, e kiosk.Eye) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	c := eye.Ordinary()
	c.Seed, c.Torsion, c.Pupil = 99, 0.03, 0.38
	if err := png.Encode(f, eye.Draw(eye.NewPerson(person), e, c, 0, 0)); err != nil {
		return err
	}
	return f.Close()
}
