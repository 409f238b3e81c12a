package kiosk_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"go/parser"
	"go/token"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// rooms is the allow-list of the house (docs/ARCHITECTURE.md): what each room
// may import of ours, besides what lies below itself. The longest matching
// prefix counts. A room that is not here may not exist.
var rooms = map[string][]string{
	"kiosk":          {},
	"kiosk/iris":     {"kiosk"},
	"kiosk/document": {"kiosk"},
	"kiosk/face":     {"kiosk"},
	"kiosk/policy":   {"kiosk"},
	"kiosk/gallery":  {"kiosk", "kiosk/iris"},
	"kiosk/record":   {"kiosk"},
	"kiosk/intake":   {"kiosk", "kiosk/policy"},
	"kiosk/capture":  {"kiosk", "devices", "kiosk/iris", "kiosk/document", "kiosk/face"},
	"kiosk/session": {"kiosk", "kiosk/iris", "kiosk/document", "kiosk/face", "kiosk/policy", "kiosk/gallery", "kiosk/record",
		"kiosk/intake", "kiosk/capture", "devices"},
	"kiosk/session/stored": {"kiosk", "kiosk/session", "kiosk/record", "store"},
	"kiosk/health":         {},
	"kiosk/target":         {},
	"kiosk/ui":             {"kiosk", "kiosk/session", "kiosk/intake", "kiosk/health", "assets"},
	"kiosk/specimen":       {"kiosk", "kiosk/document", "assets"},

	"devices":            {"kiosk"},
	"devices/devicetest": {"kiosk", "devices"},
	"devices/usb":        {},
	"devices/internal":   {"kiosk", "devices"}, // what drivers of cameras share
	"devices/uvc":        {"kiosk", "devices", "devices/internal", "devices/usb"},
	"devices/escl":       {"kiosk", "devices", "devices/usb"},
	"devices/ccid":       {"kiosk", "devices", "devices/usb"},
	"devices/sbi":        {"kiosk", "devices"},
	"devices/regula":     {"kiosk", "devices"},
	"devices/v4l2":       {"kiosk", "devices", "devices/internal"},
	"devices/tesseract":  {"kiosk", "devices"}, // reads print by a program that may be installed
	"devices/discover":   {"kiosk", "devices", "devices/usb", "devices/uvc", "devices/escl", "devices/ccid", "devices/sbi", "devices/regula", "devices/v4l2"},
	"devices/virtual":    {"devices/usb"},
	// The rigs and the virtual machine that devices are tested with; no program links them.
	"devices/virtual/virtualtest": {"kiosk", "devices", "devices/devicetest", "devices/usb", "devices/virtual"},
	"devices/usb/kerneltest":      {"devices/usb"},

	"store":        {"kiosk", "kiosk/policy"},
	"sync/wire":    {"kiosk", "store/seal"},
	"sync/courier": {"kiosk", "kiosk/policy", "sync/wire", "store"},
	"sync/hub":     {"kiosk", "kiosk/iris", "kiosk/gallery", "kiosk/policy", "kiosk/record", "sync/wire", "store/seal", "store/audit", "store/boltcheck"},
	"assets":       {},
	"cmd":          nil, // wires anything, in internal/app
	// The program that makes the reader's weights; nothing links it.
	"kiosk/document/internal/train": {"kiosk/document", "assets"},
	"kiosk/session/sessiontest":     nil,
}

// never lists what must not be linked into a program, whoever imports it.
var never = map[string][]string{
	"cmd/tambo":     {"devices/virtual", "kiosk/specimen"},
	"cmd/tambo-hub": {"devices", "devices/usb/libusb", "kiosk/ui", "fyne.io/fyne/v2", "github.com/google/gousb"},
}

// only lists third-party modules that one room alone may know.
var only = map[string]string{
	"github.com/google/gousb": "devices/usb/libusb",
	"fyne.io/fyne/v2":         "kiosk/ui",
	"go.etcd.io/bbolt":        "store sync/hub/embedded",
	"github.com/tus/tusd/v2":  "sync/hub",
}

type pkg struct {
	ImportPath, Dir, Name string
	Imports, Deps         []string
	GoFiles, CgoFiles     []string
}

func list(t *testing.T, env ...string) []pkg {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Dir,Name,Imports,Deps,GoFiles,CgoFiles", "tambo/...")
	cmd.Env = append(os.Environ(), env...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, stderr.Bytes())
	}
	var all []pkg
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p pkg
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

func below(path, room string) bool { return path == room || strings.HasPrefix(path, room+"/") }

// roomOf returns the longest room that holds a package.
func roomOf(path string) (string, bool) {
	best, found := "", false
	for r := range rooms {
		if below(path, r) && len(r) >= len(best) {
			// A folder of its own below "kiosk" or "devices" or "store" is a
			// room only if it is listed, except store's, which share one list.
			if (r == "kiosk" || r == "devices") && path != r {
				continue
			}
			best, found = r, true
		}
	}
	return best, found
}

func TestRoomsImportOnlyWhatTheyMay(t *testing.T) {
	for _, p := range list(t) {
		self := strings.TrimPrefix(p.ImportPath, "tambo/")
		room, ok := roomOf(self)
		if !ok {
			t.Errorf("%s is in no room: say in the allow-list what it is", self)
			continue
		}
		for _, imp := range p.Imports {
			for module, home := range only {
				if below(imp, module) && !slices.ContainsFunc(strings.Fields(home), func(h string) bool { return below(self, h) }) && !(module == "fyne.io/fyne/v2" && below(self, "cmd/tambo")) {
					t.Errorf("%s imports %s; only %s may", self, imp, home)
				}
			}
			rel, ours := strings.CutPrefix(imp, "tambo/")
			if !ours || rooms[room] == nil || below(rel, room) {
				continue
			}
			if !slices.ContainsFunc(rooms[room], func(a string) bool {
				return rel == a || below(rel, a) && a != "kiosk" && a != "devices"
			}) {
				t.Errorf("%s imports %s, which room %s may not", self, rel, room)
			}
		}
	}
}

func TestProgramsLinkNothingForbidden(t *testing.T) {
	for _, p := range list(t) {
		self := strings.TrimPrefix(p.ImportPath, "tambo/")
		for _, dep := range p.Deps {
			rel := strings.TrimPrefix(dep, "tambo/")
			for _, bad := range never[self] {
				if below(rel, bad) && rel != "devices/usb" {
					t.Errorf("%s links %s", self, rel)
				}
			}
		}
	}
}

// TestHubNeedsNoC builds what the hub links without cgo.
func TestHubNeedsNoC(t *testing.T) {
	if _, err := os.Stat(filepath.Join("..", "cmd", "tambo-hub")); err != nil {
		t.Skip("cmd/tambo-hub does not exist yet")
	}
	cmd := exec.Command("go", "build", "-o", os.DevNull, "tambo/cmd/tambo-hub")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

var negation = regexp.MustCompile(`(?i)\b(never|not|no|nothing|neither|nor|cannot)\b`)

func TestEveryPackageSaysWhatItIsFor(t *testing.T) {
	for _, p := range list(t) {
		fset, doc := token.NewFileSet(), ""
		for _, f := range append(p.GoFiles, p.CgoFiles...) {
			ast, err := parser.ParseFile(fset, filepath.Join(p.Dir, f), nil, parser.ParseComments|parser.PackageClauseOnly)
			if err != nil {
				t.Fatal(err)
			}
			if ast.Doc != nil {
				doc += ast.Doc.Text()
			}
		}
		words := len(strings.Fields(doc))
		if words < 12 {
			t.Errorf("%s: the package comment says too little (%d words): what it does, what it never does", p.ImportPath, words)
		}
		if p.Name != "main" && words >= 12 && !negation.MatchString(doc) {
			t.Errorf("%s: the package comment does not say what the package never does", p.ImportPath)
		}
	}
}
