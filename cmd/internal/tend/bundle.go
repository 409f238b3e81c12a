package tend

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"tambo/kiosk/health"
)

// Bundle is what a support archive is made from. Everything in it goes through a
// list of what may pass; nothing is copied.
type Bundle struct {
	Kiosk  *Kiosk
	Config string // the configuration file, may be empty
	Crash  string // the crash log, may be empty
	// Logs are what programs said, as log/slog writes text.
	Logs []io.Reader
}

const bundleText = `A support archive of a Tambo kiosk.

versions.json  programs and system
health.json    facts and verdict: figures, ports, models, the hub's address
devices.json   USB descriptors; serial numbers as keyed hashes, no names of devices
journal.jsonl  what was shown to officers (keys of words, no values), faults, losses
crash.log      where in the code the window ended by itself, without any words
log.jsonl      lines of the log: level, known messages, and keys from a short list
config.json    settings, without paths and commands

Nothing in it is about a person. Drafts, index cards, lists and sealed records were not read.
`

// Write writes a gzip-compressed tar archive.
func (b Bundle) Write(ctx context.Context, w io.Writer) error {
	facts := b.Kiosk.Facts(ctx)
	for i := range facts.Devices {
		facts.Devices[i].Name = "" // somebody's telephone says its owner's
	}
	report := health.Judge(facts)
	files := []struct {
		name string
		body any // []byte as it is, anything else as JSON
	}{
		{"README.txt", []byte(bundleText)}, {"versions.json", versions()},
		{"health.json", map[string]any{"facts": facts, "report": report}},
		{"devices.json", b.devices(ctx)}, {"journal.jsonl", b.journal()}, {"crash.log", crashLines(b.Crash)}, {"log.jsonl", logLines(b.Logs)}, {"config.json", config(b.Config)},
	}
	z := gzip.NewWriter(w)
	t := tar.NewWriter(z)
	for _, f := range files {
		body, raw := f.body.([]byte)
		if !raw {
			var err error
			if body, err = json.MarshalIndent(f.body, "", "  "); err != nil {
				return fmt.Errorf("bundle: %s: %w", f.name, err)
			}
		}
		h := &tar.Header{Name: "tambo-support/" + f.name, Mode: 0o600, Size: int64(len(body)), ModTime: facts.At.Truncate(time.Second), Format: tar.FormatPAX}
		if err := t.WriteHeader(h); err != nil {
			return fmt.Errorf("bundle: %w", err)
		}
		if _, err := t.Write(body); err != nil {
			return fmt.Errorf("bundle: %w", err)
		}
	}
	if err := t.Close(); err != nil {
		return fmt.Errorf("bundle: %w", err)
	}
	return z.Close()
}

// Save writes the archive as a new file in a folder and returns its name.
func (b Bundle) Save(ctx context.Context, dir string) (string, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	f, err := os.CreateTemp(dir, "tambo-support-"+time.Now().UTC().Format("20060102-1504")+"-*.tar.gz")
	if err != nil {
		return "", err
	}
	if err := b.Write(ctx, f); err != nil {
		f.Close()
		os.Remove(f.Name())
		return "", err
	}
	if err := f.Sync(); err != nil {
		f.Close()
		return "", err
	}
	return f.Name(), f.Close()
}

func versions() map[string]string {
	v := map[string]string{"go": runtime.Version(), "system": runtime.GOOS + "/" + runtime.GOARCH}
	if i, ok := debug.ReadBuildInfo(); ok {
		v["tambo"] = i.Main.Version
		for _, s := range i.Settings {
			if s.Key == "vcs.revision" || s.Key == "vcs.time" || s.Key == "vcs.modified" {
				v[s.Key] = s.Value
			}
		}
	}
	var u unix.Utsname
	if unix.Uname(&u) == nil {
		v["kernel"] = unix.ByteSliceToString(u.Release[:])
	}
	if b, err := os.ReadFile("/etc/os-release"); err == nil {
		for _, l := range strings.Split(string(b), "\n") {
			if x, ok := strings.CutPrefix(l, "PRETTY_NAME="); ok {
				v["distribution"] = strings.Trim(x, `"`)
			}
		}
	}
	return v
}

// deviceEntry is a device in the archive.
type deviceEntry struct {
	Bus         string `json:"bus"`
	Port        string `json:"port"`
	Model       string `json:"model"`
	Class       uint8  `json:"class"`
	Speed       uint8  `json:"speed"`
	Driver      string `json:"driver,omitempty"`
	Virtual     bool   `json:"virtual,omitempty"`
	Serial      string `json:"serial,omitempty"` // HMAC-SHA-256 under the kiosk's id, 12 digits
	Descriptors string `json:"descriptors"`      // hexadecimal
}

func (b Bundle) devices(ctx context.Context) []deviceEntry {
	out := []deviceEntry{}
	k := b.Kiosk
	if k.Devices == nil {
		return out
	}
	list, _ := k.Devices.List(ctx) // that it fails is in health.json
	key := []byte("tambo support")
	if k.Vault != nil {
		id, site := k.Vault.Kiosk()
		key = []byte(string(id) + "\x00" + site)
	}
	for _, d := range list {
		u := d.USB()
		e := deviceEntry{Bus: d.Bus, Port: u.Port, Model: model(d.Info), Class: u.Class, Speed: uint8(u.Speed), Driver: d.Info.Driver, Virtual: d.Info.Virtual, Descriptors: hex.EncodeToString(u.Config)}
		if d.Info.Serial != "" {
			m := hmac.New(sha256.New, key)
			fmt.Fprintf(m, "%04x:%04x:%s", u.VendorID, u.ProductID, d.Info.Serial)
			e.Serial = hex.EncodeToString(m.Sum(nil))[:12]
		}
		out = append(out, e)
	}
	return out
}

func (b Bundle) journal() []byte {
	var out bytes.Buffer
	if b.Kiosk.Journal != nil {
		e := json.NewEncoder(&out)
		for _, n := range b.Kiosk.Journal.Last(2000) {
			e.Encode(n) // into memory
		}
	}
	return out.Bytes()
}

// Lines of the crash log that may pass: when, how, and where in the code.
var crashForms = []*regexp.Regexp{
	regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ the window ended: (?:exit status \d{1,3}|signal: [a-z]+(?: \(core dumped\))?)$`),
	regexp.MustCompile(`^goroutine \d{1,9} ?$`),
	regexp.MustCompile(`^panic \(its words are left out\)$`),
	regexp.MustCompile(`^panic: runtime error: (?:invalid memory address or nil pointer dereference|index out of range|slice bounds out of range|integer divide by zero)$`),
	regexp.MustCompile(`^  (?:(?:tambo|fyne\.io|github\.com|golang\.org|go\.etcd\.io|codeberg\.org)/[\w./\-]{1,120}|main|runtime|sync|os|net|syscall|reflect|time|context|io|testing)\.[\w().*\[\]]{1,120}$`),
	regexp.MustCompile(`^    [\w.\-@]{1,60}/[\w.\-]{1,60}\.go:\d{1,6}$`),
}

const maxLines = 4000

func crashLines(path string) []byte {
	var out bytes.Buffer
	b, err := os.ReadFile(path)
	if path == "" || err != nil {
		return nil
	}
	lines := strings.Split(string(b[max(0, len(b)-1<<20):]), "\n")
	for _, l := range lines[max(0, len(lines)-maxLines):] {
		for _, form := range crashForms {
			if form.MatchString(l) {
				out.WriteString(l + "\n")
				break
			}
		}
	}
	return out.Bytes()
}

// Messages are what the kiosk's programs log; a test reads them out of the
// sources. Others do not pass, whatever they say.
var Messages = []string{
	"an act was not done", "sign-in refused", "the vault does not open", "fault report", "lock at the end", "lock", "irises not taken", "not resumed",
	"the arrival list was not kept", "the arrival list was not opened", "the paper was not printed", "the road", "no devices", "devices", "vault",
	"face photo not taken", "support bundle", "journal", "index card cannot be searched; the others can", "index card is no longer searched",
	"draft cannot be read; the others go on", "draft cannot be settled; the others go on", "audit entry not written", "round", "receipt",
}

// logForms are the keys that may pass, with the form of their values.
var logForms = map[string]*regexp.Regexp{
	"time":    regexp.MustCompile(`^\d{4}-\d\d-\d\dT[\d:.]{8,18}(?:Z|[+-]\d\d:\d\d)$`),
	"level":   regexp.MustCompile(`^(?:DEBUG|INFO|WARN|ERROR)$`),
	"page":    regexp.MustCompile(`^(?:home|sign-in|health|diagnostics|queue|arrivals|arrival|irises|document|identity|face|decision|review|slip|held|resume|exception|disk|expired|clock|paper)(?:/(?:type|choose))?$`),
	"trouble": regexp.MustCompile(`^(?:\d{1,3}|gone|stalled|bad data|busy|access|virtual|cover|paper|unreadable|password|unknown|role|locked out|refused|locked|disk full|expired|no agreement|not yet|stopped|other|damaged|vault)$`),
	"missing": regexp.MustCompile(`^\d{1,3}$`),
	"count":   regexp.MustCompile(`^\d{1,9}$`),
}

var logPair = regexp.MustCompile(`([a-zA-Z.]+)=("(?:[^"\\]|\\.)*"|[^\s"]*)`)

// logLines picks what may pass out of lines of log/slog's text.
func logLines(from []io.Reader) []byte {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	for _, r := range from {
		s := bufio.NewScanner(io.LimitReader(r, 16<<20))
		s.Buffer(make([]byte, 64<<10), 1<<20)
		for n := 0; s.Scan() && n < maxLines; n++ {
			kept, known := map[string]string{}, false
			for _, m := range logPair.FindAllStringSubmatch(s.Text(), -1) {
				key, value := m[1], m[2]
				if strings.HasPrefix(value, `"`) {
					value = value[1 : len(value)-1]
				}
				if key == "msg" {
					for _, w := range Messages {
						if value == w {
							kept[key], known = w, true
						}
					}
				} else if form := logForms[key]; form != nil && form.MatchString(value) {
					kept[key] = value
				}
			}
			if known {
				e.Encode(kept) // into memory
			}
		}
	}
	return out.Bytes()
}

// configForms are the settings that may pass, with the form of their values.
var configForms = map[string]*regexp.Regexp{
	"devices": regexp.MustCompile(`^usb$|^usbip [\d.:\[\]a-f]{2,45}$`), "window": regexp.MustCompile(`^\d{3,5}x\d{3,5}$`), "fullScreen": regexp.MustCompile(`^(?:true|false)$`),
	"pixelsPerMillimetre": regexp.MustCompile(`^[\d.]{1,8}$`), "language": regexp.MustCompile(`^(?:es|en)$`), "night": regexp.MustCompile(`^(?:true|false)$`), "idleLock": regexp.MustCompile(`^[\dhms.]{1,12}$`),
}

// config says which settings there are: values of the harmless ones, of the
// others only that they are set.
func config(path string) map[string]string {
	out := map[string]string{}
	b, err := os.ReadFile(path)
	if path == "" || err != nil {
		return out
	}
	var c map[string]any
	if json.Unmarshal(b, &c) != nil {
		return map[string]string{"config": "cannot be read as JSON"}
	}
	for key, v := range c {
		form := configForms[key]
		switch value := fmt.Sprint(v); {
		case form != nil && form.MatchString(value):
			out[key] = value
		case form != nil:
			out[key] = "not as expected"
		case key == "vault", key == "print", key == "slips", key == "crashLog":
			out[key] = "set"
		}
	}
	return out
}

// CrashLogOf is where the window's crash log stands by default.
func CrashLogOf(dir string) string { return filepath.Join(filepath.Dir(dir), "crash.log") }
