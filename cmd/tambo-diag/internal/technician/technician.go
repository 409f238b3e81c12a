// Package technician is tambo-diag's commands for whoever keeps a kiosk's devices
// well: devices, health, faults, bundle. The first line of what they say is a
// verdict, with what to do next; figures follow, each with its floor.
//
// They need nobody signed in and work beside a vault that does not open. They
// never show or keep a picture of anything but the technician's own test objects
// (package target), and print no serial number and nothing about a person. They
// never enrol, so a bus of virtual devices may be looked at without a training
// agreement; the window may not.
package technician

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"tambo/cmd/internal/tend"
	"tambo/devices/discover"
	"tambo/devices/usb"
	"tambo/devices/usb/libusb"
	"tambo/devices/usb/usbip"
	"tambo/kiosk/ui/words"
)

// ErrUsage says that a command was used wrongly.
var ErrUsage = errors.New("wrong use")

func wrongUse(format string, args ...any) error {
	return fmt.Errorf("%w: %w", ErrUsage, fmt.Errorf(format, args...))
}

// options are what all of these commands take.
type options struct {
	bus, dir, config, language string
	json                       bool

	devices string // of the configuration
	out     io.Writer
	err     io.Writer
	say     *words.Book
}

// defaultConfig is where `make install` puts the configuration.
const defaultConfig = "/etc/tambo/kiosk.json"

// parse reads flags and the kiosk's configuration, if there is one.
func parse(name string, args []string, stdout, stderr io.Writer, define func(*flag.FlagSet)) (*options, []string, error) {
	o := &options{out: stdout, err: stderr}
	fs := flag.NewFlagSet(name, flag.ContinueOnError)
	fs.SetOutput(stderr)
	fs.StringVar(&o.bus, "bus", "", "`usb`, usbip, or \"usbip HOST:PORT\" for virtual devices; else as configured")
	fs.StringVar(&o.dir, "dir", "", "the kiosk's `folder`; else as configured")
	fs.StringVar(&o.config, "config", "", "the kiosk's configuration `file`; else "+defaultConfig)
	fs.StringVar(&o.language, "language", "en", "es or en")
	fs.BoolVar(&o.json, "json", false, "print JSON")
	if define != nil {
		define(fs)
	}
	var rest []string
	for { // flags may stand before and after words
		if err := fs.Parse(args); err != nil {
			if errors.Is(err, flag.ErrHelp) {
				return nil, nil, err
			}
			return nil, nil, fmt.Errorf("%w: %w", ErrUsage, err)
		}
		if fs.NArg() == 0 {
			break
		}
		rest, args = append(rest, fs.Arg(0)), fs.Args()[1:]
	}
	if o.language != "es" && o.language != "en" {
		return nil, nil, wrongUse("--language %q: es or en", o.language)
	}
	o.say = words.New(words.Language(o.language))
	return o, rest, o.configure()
}

// configure takes the vault's folder and the bus from the configuration.
func (o *options) configure() error {
	given := o.config != ""
	if !given {
		o.config = defaultConfig
	}
	b, err := os.ReadFile(o.config)
	if err != nil {
		if given {
			return err
		}
		o.config = ""
		return nil
	}
	var c struct {
		Vault   string `json:"vault"`
		Devices string `json:"devices"`
	}
	if err := json.NewDecoder(bytes.NewReader(b)).Decode(&c); err != nil {
		return fmt.Errorf("%s: %w", o.config, err)
	}
	if o.devices = c.Devices; o.dir == "" && c.Vault != "" {
		if o.dir = c.Vault; !filepath.IsAbs(o.dir) {
			o.dir = filepath.Join(filepath.Dir(o.config), o.dir)
		}
	}
	return nil
}

// open opens the bus.
func (o *options) open() (usb.Bus, error) {
	name := o.bus
	if name == "" {
		name = o.devices
	}
	switch at, ok := strings.CutPrefix(name, "usbip"); {
	case name == "" || name == "usb":
		return libusb.New(), nil
	case ok && (at == "" || at[0] == ' ' || at[0] == ':' && len(at) > 1):
		if at = strings.TrimLeft(at, " :"); at == "" {
			at = usbip.DefaultAddress
		}
		// Nothing is enrolled here, so no agreement is asked.
		return usbip.New(at, true)
	}
	return nil, wrongUse(`--bus %q: usb, usbip, or "usbip HOST:PORT"`, name)
}

// print prints JSON.
func (o *options) print(v any) error {
	e := json.NewEncoder(o.out)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

func (o *options) line(format string, args ...any) {
	fmt.Fprintln(o.out, strings.TrimRight(strings.ReplaceAll(fmt.Sprintf(format, args...), "\u00a0", " "), " "))
}

// verbs of the devices command.
var verbs = map[string]func(context.Context, *options, []string, *deviceFlags) error{
	"list": list, "probe": probe, "capture": capture, "watch": watch, "soak": soak, "quirks": quirks, "target": drawTarget, "disk": disk,
}

// deviceFlags are those of single verbs.
type deviceFlags struct {
	port    string
	camera  string // of cameras; empty: as the verb has it
	scanner bool
	udev    bool
	out     string
	dpi     int
	length  time.Duration
}

const deviceUsage = `usage: tambo-diag devices VERB [--bus usb|usbip|"usbip HOST:PORT"] [--json] [--language es|en]
  list                          what is plugged in, which driver took it, and why not
  probe   [PORT]                descriptors in words; formats and rates; whether it opens
  capture [--port PORT] [--scanner] [--out FILE]   the eye model, or the calibration page: sharpness and light
  watch   [--camera iris|face|both] [--port PORT] [--for TIME]    live: frame rate, losses, lateness, plugging
  soak    --for TIME [--camera iris|face] [--port PORT] [--out FILE]    stream for hours, and report
  quirks  [--udev]              the table of oddities and what of it applies; or udev rules
  target  --out FILE.pdf|FILE.png       the sheet with the eye models and the calibration page
  disk    [--out FILE]          what the kiosk's disk says of itself (SMART); as root`

// Devices is `tambo-diag devices`.
func Devices(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	if len(args) == 0 || verbs[args[0]] == nil {
		fmt.Fprintln(stderr, deviceUsage)
		return wrongUse("which verb?")
	}
	f := &deviceFlags{}
	o, rest, err := parse("devices "+args[0], args[1:], stdout, stderr, func(fs *flag.FlagSet) {
		fs.StringVar(&f.port, "port", "", "the device at a `port`; else the first")
		fs.StringVar(&f.camera, "camera", "", "`iris`, face or both; else both are watched, and the iris camera is soaked")
		fs.BoolVar(&f.scanner, "scanner", false, "the scanner, in place of the iris camera")
		fs.BoolVar(&f.udev, "udev", false, "print udev rules")
		fs.StringVar(&f.out, "out", "", "`file` to write")
		fs.IntVar(&f.dpi, "dpi", 300, "of the calibration page")
		fs.DurationVar(&f.length, "for", 0, "how `long`, as 8h")
	})
	if err != nil {
		return err
	}
	if f.camera != "" && cameras[f.camera] == nil {
		return wrongUse("--camera %q: iris, face or both", f.camera)
	}
	if f.length < 0 || f.dpi < 75 || f.dpi > 1200 {
		return wrongUse("--for and --dpi: a positive time; 75 to 1200 dots an inch")
	}
	return verbs[args[0]](ctx, o, rest, f)
}

// finder opens the bus and looks at it.
func (o *options) finder() (*discover.Discovery, func(), error) {
	b, err := o.open()
	if err != nil {
		return nil, nil, err
	}
	return discover.New(b), func() { b.Close() }, nil
}

// meter opens devices and counts; what is lost goes into the kiosk's journal,
// where there is a kiosk.
func (o *options) meter() (*tend.Meter, func(), error) {
	d, end, err := o.finder()
	if err != nil {
		return nil, nil, err
	}
	var j *tend.Journal
	if o.dir != "" {
		j = tend.OpenJournal(o.dir)
	}
	return tend.NewMeter(d, j), end, nil
}
