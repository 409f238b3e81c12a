package technician

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"image"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tambo/cmd/internal/tend"
	"tambo/devices/discover"
	"tambo/devices/virtual"
	"tambo/kiosk/health"
	"tambo/kiosk/target"
)

type scene struct{ left, right *image.Gray }

func (s scene) Eyes(virtual.Shot) (left, right *image.Gray) { return s.left, s.right }
func (scene) Page(dpi int, _ bool) image.Image              { return target.DrawPage(dpi) }
func (scene) Picture(virtual.Shot) image.Image              { return image.White }

// bus serves a camera and a scanner over USB/IP, as tambo-devsim does, and
// returns what to say to --bus.
func bus(t *testing.T) (string, *virtual.Bus, *virtual.Device) {
	t.Helper()
	b := virtual.NewBus()
	t.Cleanup(func() { b.Close() })
	s := scene{target.DrawEye(target.Left, 320, 240, 8.5, 190), target.DrawEye(target.Right, 320, 240, 8.5, 190)}
	cam, err := virtual.NewCamera(s, virtual.CameraOptions{Width: 320, Height: 240, Interval: 60 * time.Millisecond, Serial: "SERIAL-7391"})
	if err != nil {
		t.Fatal(err)
	}
	scan, err := virtual.NewScanner(s, virtual.ScannerOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for port, d := range map[string]*virtual.Device{"1-1": cam, "1-2": scan} {
		if err := b.Plug(port, d); err != nil {
			t.Fatal(err)
		}
	}
	server, err := virtual.Listen("127.0.0.1:0", b, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	go server.Serve(t.Context())
	t.Cleanup(func() { server.Close() })
	return "usbip " + server.Addr(), b, cam
}

func do(t *testing.T, run func(context.Context, []string, *bytes.Buffer) error, args ...string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	err := run(t.Context(), args, &out)
	if strings.Contains(out.String(), "SERIAL-7391") {
		t.Errorf("%q says a serial number", args)
	}
	return out.String(), err
}

func devicesRun(ctx context.Context, args []string, out *bytes.Buffer) error {
	return Devices(ctx, args, out, new(bytes.Buffer))
}

func TestDevices(t *testing.T) {
	at, b, cam := bus(t)
	says := func(want []string, args ...string) {
		t.Helper()
		out, err := do(t, devicesRun, append(args, "--bus", at)...)
		if err != nil {
			t.Errorf("%q: %v", args, err)
		}
		for _, w := range want {
			if !strings.Contains(out, w) {
				t.Errorf("%q does not say %q:\n%s", args, w, out)
			}
		}
	}
	says([]string{"An iris camera and a document scanner are there.", "port 1-1", "driver uvc", "driver escl"}, "list")
	says([]string{`"driver": "escl"`}, "list", "--json")
	says([]string{"video control (14/1/0)", "0x81 bulk", "a second"}, "probe", "1-1")
	says([]string{"IPP over USB", "300", "210 × 297 mm"}, "probe", "1-2")
	says([]string{"applies at port 1-1", "devices/virtual/camera.go"}, "quirks")
	out := filepath.Join(t.TempDir(), "eye")
	says([]string{"Passed.", "needs 60", "saved"}, "capture", "--out", out)
	says([]string{"Passed.", "length"}, "capture", "--scanner")
	says([]string{"plugged in", "frames a second", "sharp"}, "watch", "--for", "2s")
	if _, err := os.Stat(out + "-left.png"); err != nil {
		t.Error(err)
	}

	cam.SetFaults(virtual.Faults{Drop: 0.03, Seed: 2})
	report := filepath.Join(t.TempDir(), "soak.json")
	got, err := do(t, devicesRun, "soak", "--for", "4s", "--bus", at, "--out", report)
	if err == nil || !strings.Contains(got, "Most likely: iris camera cable, port 1-1.") {
		t.Errorf("a soak that loses packets: %v\n%s", err, got)
	}
	var r soaked
	if body, err := os.ReadFile(report); err != nil || json.Unmarshal(body, &r) != nil || r.Lost == 0 || r.Frames == 0 {
		t.Errorf("the report: %+v, %v", r, err)
	}
	b.Unplug("1-1")
	if _, err := do(t, devicesRun, "capture", "--bus", at); err == nil {
		t.Error("captured without a camera")
	}
	for _, bad := range [][]string{{}, {"dance"}, {"soak"}, {"list", "--bus", "serial"}, {"list", "--language", "qu"}, {"target"}, {"capture", "--dpi", "1"}} {
		if _, err := do(t, devicesRun, bad...); !errors.Is(err, ErrUsage) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// TestFaceCamera: both cameras are watched, each or one, and the face camera is
// soaked; what its cable loses is said of it.
func TestFaceCamera(t *testing.T) {
	at, b, _ := bus(t)
	face, err := virtual.NewColourCamera(scene{}, virtual.ColourOptions{Formats: []string{"YUY2"}, Sizes: []image.Point{{64, 48}}, Interval: 50 * time.Millisecond, Payload: 1024, Serial: "SERIAL-7391"})
	if err != nil {
		t.Fatal(err)
	}
	watch := func(more ...string) (lines map[health.Part]int, out string) {
		t.Helper()
		out, err := do(t, devicesRun, append([]string{"watch", "--for", "3s", "--json", "--bus", at}, more...)...)
		if err != nil {
			t.Error(err)
		}
		lines = map[health.Part]int{}
		for d := json.NewDecoder(strings.NewReader(out)); ; {
			var s second
			if d.Decode(&s) != nil {
				return lines, out
			}
			if s.Event == "" && s.Trouble == "" && s.Stats.Frames > 0 && (s.Camera == health.PartFace) == (s.Eyes == nil) {
				lines[s.Camera]++
			}
		}
	}
	if n, out := watch(); n[health.PartCamera] == 0 || n[health.PartFace] > 0 || strings.Contains(out, "trouble") {
		t.Errorf("a kiosk without a face camera: %s", out)
	}
	if n, out := watch("--camera", "face"); len(n) > 0 || !strings.Contains(out, "nothing of that kind is plugged in") {
		t.Errorf("no face camera to watch: %s", out)
	}
	if err := b.Plug("1-3", face); err != nil {
		t.Fatal(err)
	}
	if n, out := watch(); n[health.PartCamera] == 0 || n[health.PartFace] == 0 {
		t.Errorf("both: %s", out)
	}
	if n, out := watch("--camera", "face"); n[health.PartCamera] > 0 || n[health.PartFace] == 0 {
		t.Errorf("the face camera: %s", out)
	}
	if n, out := watch("--port", "1-3"); n[health.PartFace] == 0 || strings.Contains(out, "trouble") {
		t.Errorf("what is at a port: %s", out)
	}
	if n, out := watch("--port", "9-9"); len(n) > 0 || strings.Count(out, "nothing of that kind is plugged in") != 1 {
		t.Errorf("a port where nothing is: %s", out)
	}
	out, err := do(t, devicesRun, "watch", "--for", "2s", "--camera", "face", "--bus", at)
	if err != nil || !strings.Contains(out, "face  ") || !strings.Contains(out, " late ") || !strings.Contains(out, "level") || strings.Contains(out, "eye model") {
		t.Errorf("%v\n%s", err, out)
	}

	face.SetFaults(virtual.Faults{Drop: 0.02, Seed: 2})
	out, err = do(t, devicesRun, "soak", "--camera", "face", "--for", "4s", "--bus", at)
	if err == nil || !strings.Contains(out, "Most likely: face camera cable, port 1-3.") || !strings.Contains(out, "needs 8)") {
		t.Errorf("a soak that loses packets: %v\n%s", err, out)
	}
	for _, bad := range [][]string{{"watch", "--camera", "door"}, {"soak", "--for", "1s", "--camera", "both"}} {
		if _, err := do(t, devicesRun, append(bad, "--bus", at)...); !errors.Is(err, ErrUsage) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestSheet(t *testing.T) {
	for _, name := range []string{"sheet.pdf", "sheet.png"} {
		path := filepath.Join(t.TempDir(), name)
		if _, err := do(t, devicesRun, "target", "--out", path); err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(name, ".pdf") {
			if b, err := os.ReadFile(path); err != nil || !bytes.HasPrefix(b, []byte("%PDF-")) {
				t.Errorf("%v", err)
			}
		} else if all, _ := filepath.Glob(filepath.Join(filepath.Dir(path), "*.png")); len(all) != 3 {
			t.Errorf("%q", all)
		}
	}
}

// TestShippedRules: what is installed is what the table asks for.
func TestShippedRules(t *testing.T) {
	rows, err := discover.Quirks()
	if err != nil {
		t.Fatal(err)
	}
	var want bytes.Buffer
	if err := udevRules(&want, rows); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(filepath.Join("..", "..", "..", "..", "assets", "install", "60-tambo.rules"))
	if err != nil || !bytes.Equal(got, want.Bytes()) {
		t.Errorf("assets/install/60-tambo.rules is not what the quirks table asks for (%v): write it anew by tambo-diag devices quirks --udev", err)
	}
	want.Reset()
	rows = append(rows, discover.Quirk{Vendor: "1A2B", Product: "00C0", Kind: "iris camera", Name: "Specimen"})
	if err := udevRules(&want, rows); err != nil || !strings.Contains(want.String(), `ATTR{idVendor}=="1a2b", ATTR{idProduct}=="00c0", GROUP="tambo", MODE="0660"`) || strings.Contains(want.String(), "1209") {
		t.Errorf("%v\n%s", err, &want)
	}
}

func TestHealthAndFaults(t *testing.T) {
	at, _, _ := bus(t)
	dir := filepath.Join(t.TempDir(), "vault")
	run := func(f func(context.Context, []string, *bytes.Buffer) error, args ...string) (string, error) {
		return do(t, f, append(args, "--bus", at, "--dir", dir)...)
	}
	healthRun := func(ctx context.Context, args []string, out *bytes.Buffer) error {
		return Health(ctx, args, out, new(bytes.Buffer))
	}
	out, err := run(healthRun)
	if err == nil || !strings.HasPrefix(out, "Most likely: there is no vault.") {
		t.Errorf("%v\n%s", err, out)
	}
	out, err = run(healthRun, "--json")
	var c checked
	if err == nil || json.Unmarshal([]byte(out), &c) != nil || c.Findings[0].Cause != health.CauseVaultMissing || len(c.Facts.Devices) != 2 {
		t.Errorf("%v\n%s", err, out)
	}
	j := tend.OpenJournal(dir)
	j.Note(health.Note{Kind: health.NoteShown, Key: "fault.device", Page: "irises"})
	code, err := j.Report(health.Report{Findings: []health.Finding{{Part: health.PartCamera, Cause: health.CauseCable, Port: "1-4", Count: 12, At: time.Now()}}})
	if err != nil {
		t.Fatal(err)
	}
	faultsRun := func(ctx context.Context, args []string, out *bytes.Buffer) error {
		return Faults(ctx, args, out, new(bytes.Buffer))
	}
	for _, spoken := range [][]string{{code}, {strings.ToLower(code[:4]), code[5:]}, {}} {
		if out, err := run(faultsRun, spoken...); err != nil || !strings.Contains(out, code) || !strings.Contains(out, "cable, port 1-4") || !strings.Contains(out, "irises") {
			t.Errorf("%q: %v\n%s", spoken, err, out)
		}
	}
	if _, err := run(faultsRun, "ZUZU-00"); err == nil {
		t.Error("found a fault that nobody reported")
	}
	folder := t.TempDir()
	if _, err := run(func(ctx context.Context, args []string, out *bytes.Buffer) error {
		return Bundle(ctx, args, out, new(bytes.Buffer))
	}, "--out", folder); err != nil {
		t.Error(err)
	}
	if all, _ := filepath.Glob(filepath.Join(folder, "tambo-support-*.tar.gz")); len(all) != 1 {
		t.Errorf("%q", all)
	}
}
