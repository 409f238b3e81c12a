package tend

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"tambo/devices/discover"
	"tambo/devices/virtual"
	"tambo/kiosk"
	"tambo/kiosk/health"
	"tambo/kiosk/session/sessiontest"
	"tambo/kiosk/specimen/page"
)

// planted are things about a person, by what they are.
type planted map[string][]byte

// forms is a thing as it could hide: plain, in either case, hexadecimal, UTF-16
// both ways, base64 at each of its three shifts.
func forms(v []byte) [][]byte {
	out := [][]byte{v, []byte(strings.ToLower(string(v))), []byte(strings.ToUpper(string(v))), []byte(hex.EncodeToString(v))}
	var le, be []byte
	for _, u := range utf16.Encode([]rune(string(v))) {
		le, be = binary.LittleEndian.AppendUint16(le, u), binary.BigEndian.AppendUint16(be, u)
	}
	out = append(out, le, be)
	for _, enc := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		for shift := range 3 {
			s := enc.EncodeToString(slices.Concat(make([]byte, shift), v))
			out = append(out, []byte(s[(shift*8+5)/6:(shift+len(v))*8/6]))
		}
	}
	return out
}

// in returns what of it occurs in b.
func (p planted) in(b []byte) (found []string) {
	for name, v := range p {
		if slices.ContainsFunc(forms(v), func(f []byte) bool { return bytes.Contains(b, f) }) {
			found = append(found, name)
		}
	}
	return found
}

// pieces plants parts of something long: the start is a header that everything
// has.
func (p planted) pieces(name string, b []byte) {
	for i := range 8 {
		at := len(b)/10 + i*len(b)/10
		if piece := b[at : at+24]; len(slices.Compact(slices.Sorted(slices.Values(piece)))) > 12 { // not one grey
			p[fmt.Sprintf("%s %d", name, i)] = piece
		}
	}
}

// live is a kiosk in the middle of an encounter, with an officer signed in, and
// everything about the person in it.
func live(t *testing.T) (*sessiontest.Kiosk, planted) {
	t.Helper()
	k := sessiontest.New(t)
	p := planted{"wristband": []byte("WB5518417")}
	h := page.NewHolder(12)
	for n := uint64(13); len(h.Given) < 5 || len(h.Surname) < 5; n++ {
		h = page.NewHolder(n)
	}
	k.Devices.Seat(12, 1)
	k.Devices.Lay(&h)
	k.In()
	ctx := t.Context()
	must := func(_ kiosk.Encounter, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(k.Begin(ctx, kiosk.VisitIntake))
	must(k.Do(ctx, k.Arrival(string(p["wristband"]))))
	must(k.CaptureIrises(ctx, nil))
	if _, err := k.ScanDocument(ctx, nil); err != nil {
		t.Fatal(err)
	}
	e, ok := k.Current()
	if !ok {
		t.Fatal("no encounter is open")
	}
	p["surname"], p["given"], p["number"], p["encounter"] = []byte(h.Surname), []byte(h.Given), []byte(h.Number), []byte(e.ID)
	for i, c := range e.Captures {
		if c.Template != nil {
			p.pieces(fmt.Sprintf("template %d", i), c.Template.Data)
		}
		img, err := k.Image(ctx, c.Part)
		if err != nil {
			t.Fatal(err)
		}
		p.pieces("image "+c.Part, img)
	}
	for name, v := range p {
		if len(v) < 5 {
			t.Fatalf("%s %q is too short to look for", name, v)
		}
	}
	if len(p) < 15 {
		t.Fatalf("only %d things are planted", len(p))
	}
	return k, p
}

// strew writes everything where a careless program or person might: logs, the
// crash log, the configuration, the journal, the names of files.
func strew(t *testing.T, k *sessiontest.Kiosk, p planted) (config string, logs []byte) {
	t.Helper()
	dir := filepath.Dir(k.Dir)
	var log, crash, journal bytes.Buffer
	for name, v := range p {
		s := string(v)
		if len(v) == 24 {
			s = hex.EncodeToString(v)
		}
		fmt.Fprintf(&log, "time=2026-11-23T03:00:00.000Z level=INFO msg=%q page=%s trouble=%q err=%q missing=%s count=%s\n", "an act was not done", s, s, "cannot draw "+s, s, s)
		fmt.Fprintf(&log, "time=%s level=%s msg=%q\n%s\n", s, s, "a message about "+s, s)
		fmt.Fprintf(&log, "time=2026-11-23T03:00:00.000Z level=INFO msg=devices err=%q\n", `quoted "msg=vault page=home `+s+`"`)
		fmt.Fprintf(&crash, "2026-11-23T03:00:00Z the window ended: %s\npanic: %s\n%s\n  %s\n    %s\n  main.%s(...)\n  tambo/x y %s.f\n2026-11-23T03:00:00Z the window ended: exit status 2 %s\n", s, s, s, s, s, s+" x", s, s)
		fmt.Fprintf(&journal, "%s\n{\"at\":\"2026-11-22T11:33:00Z\",\"kind\":\"shown\",\"key\":%q}\n{\"at\":\"2026-11-22T11:33:00Z\",\"kind\":\"fault\",\"code\":\"MOKA-11\",\"name\":%q}\n{\"at\":\"2026-11-22T11:33:00Z\",\"kind\":\"lost\",\"part\":\"camera\",\"port\":%q}\n", s, s, s, s)
		if !strings.ContainsAny(s, "/\x00") && len(s) < 100 {
			os.WriteFile(filepath.Join(dir, name+" "+s+".txt"), v, 0o600)
		}
	}
	crash.WriteString("2026-11-23T03:00:00Z the window ended: exit status 2\n  tambo/kiosk/ui.(*Controller).fail\n    ui/frame.go:120\n")
	log.WriteString("time=2026-11-23T03:00:01.000Z level=WARN msg=\"irises not taken\" trouble=gone\n")
	c := map[string]any{"vault": k.Dir + string(p["surname"]), "devices": "usbip " + string(p["surname"]), "language": string(p["surname"]), "slips": string(p["number"]), "print": []string{"lp", "-U", string(p["given"])},
		"password": string(p["surname"]), string(p["number"]): 1, "window": "1280x800", "idleLock": "5m"}
	b, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	for name, body := range map[string][]byte{"kiosk.json": b, "crash.log": crash.Bytes(), JournalFile: journal.Bytes()} {
		if err := os.WriteFile(filepath.Join(dir, name), body, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "kiosk.json"), log.Bytes()
}

// unpack returns the archive's files, and everything in it in one piece.
func unpack(t *testing.T, b []byte) (map[string][]byte, []byte) {
	t.Helper()
	z, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	plain, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	for r := tar.NewReader(bytes.NewReader(plain)); ; {
		h, err := r.Next()
		if err == io.EOF {
			return files, plain
		}
		if err != nil {
			t.Fatal(err)
		}
		if files[filepath.Base(h.Name)], err = io.ReadAll(r); err != nil {
			t.Fatal(err)
		}
	}
}

// TestBundleIsAboutNobody plants everything about a person in a live kiosk and
// round it, and searches the archive for it in every form.
func TestBundleIsAboutNobody(t *testing.T) {
	k, p := live(t)
	config, logs := strew(t, k, p)
	phone := virtual.NewLoopback("SN-" + string(p["surname"])) // somebody's telephone, named for its owner
	if err := k.Devices.Bus.Plug("1-7", phone); err != nil {
		t.Fatal(err)
	}
	j := OpenJournal(k.Dir)
	if err := j.Note(health.Note{Kind: health.NoteShown, Key: "fault.device", Page: "irises"}); err != nil {
		t.Fatal(err)
	}
	if _, err := j.Report(health.Judge((&Kiosk{Vault: k.Vault, Dir: k.Dir}).Facts(t.Context()))); err != nil {
		t.Fatal(err)
	}
	d := discover.New(k.Devices.Bus)
	b := Bundle{Kiosk: &Kiosk{Dir: k.Dir, Vault: k.Vault, Devices: d, Meter: NewMeter(d, j), Journal: j}, Config: config, Crash: CrashLogOf(k.Dir), Logs: []io.Reader{bytes.NewReader(logs)}}
	name, err := b.Save(t.Context(), filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	files, plain := unpack(t, raw)
	for what, body := range map[string][]byte{"raw": raw, "decompressed": plain} {
		if found := p.in(body); len(found) > 0 {
			t.Errorf("%s: the archive holds %q", what, found)
		}
	}
	for what, want := range map[string]string{
		"health.json": `"state": "open"`, "devices.json": `"port": "1-7"`, "journal.jsonl": "fault.device", "crash.log": "kiosk/ui.(*Controller).fail", "log.jsonl": "irises not taken",
		"config.json": "1280x800", "versions.json": "go1.", "README.txt": "Nothing in it is about a person",
	} {
		if !bytes.Contains(files[what], []byte(want)) {
			t.Errorf("%s does not say %q:\n%s", what, want, files[what])
		}
	}
	var devices []deviceEntry
	if err := json.Unmarshal(files["devices.json"], &devices); err != nil || len(devices) < 3 {
		t.Fatalf("%v: %d devices", err, len(devices))
	}
	for _, e := range devices {
		if e.Port == "1-7" && !regexp.MustCompile(`^[0-9a-f]{12}$`).MatchString(e.Serial) {
			t.Errorf("the serial number is %q", e.Serial)
		}
	}
	t.Logf("%d things in %d forms each; the archive has %d bytes, %d decompressed", len(p), len(forms([]byte("x"))), len(raw), len(plain))
}

// TestSearchFinds: the search itself would find each thing in each form.
func TestSearchFinds(t *testing.T) {
	p := planted{"name": []byte("HUAMANMARKER"), "piece": []byte("\x01\xfe\x80abcdefgh\x00xyz\xff123456")}
	for name, v := range p {
		for i, f := range forms(v) {
			if found := p.in(slices.Concat([]byte("before "), f, []byte(" after"))); !slices.Contains(found, name) {
				t.Errorf("form %d of %s is not found", i, name)
			}
		}
		b := base64.StdEncoding.EncodeToString(slices.Concat([]byte("x"), v, []byte("yz")))
		if !slices.Contains(p.in([]byte(b)), name) {
			t.Errorf("%s inside base64 is not found", name)
		}
	}
}

// TestMessagesAreKnown reads what the programs log out of their sources: a new
// message must be put on the list, or its lines are not in the archive.
func TestMessagesAreKnown(t *testing.T) {
	call := regexp.MustCompile(`\.(?:Info|Warn|Error)\(("(?:[^"\\]|\\.)*"), `)
	seen := 0
	for _, dir := range []string{"kiosk/ui", "kiosk/session", "cmd/tambo", "sync/courier", "store"} {
		filepath.WalkDir(filepath.Join("..", "..", "..", dir), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			b, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			for _, m := range call.FindAllSubmatch(b, -1) {
				var msg string
				if json.Unmarshal(m[1], &msg) == nil {
					if seen++; !slices.Contains(Messages, msg) {
						t.Errorf("%s logs %q, which no archive would hold", path, msg)
					}
				}
			}
			return nil
		})
	}
	if seen < 10 {
		t.Errorf("only %d messages were found in the sources", seen)
	}
}

func TestLogLines(t *testing.T) {
	out := string(logLines([]io.Reader{strings.NewReader("time=2026-11-23T03:00:00.123Z level=INFO msg=\"an act was not done\" page=irises trouble=gone missing=2\nnot a line\ntime=x level=LOUD msg=devices err=nonsense\n")}))
	if want := `{"level":"INFO","missing":"2","msg":"an act was not done","page":"irises","time":"2026-11-23T03:00:00.123Z","trouble":"gone"}` + "\n" + `{"msg":"devices"}` + "\n"; out != want {
		t.Errorf("%s", out)
	}
}
