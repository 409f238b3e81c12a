package app

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// Config is the kiosk's one configuration file, JSON. Fields that are not given
// have the value that defaults says.
type Config struct {
	// Vault is the kiosk's folder, as `tambo-diag kiosk setup` made it. A
	// relative path, here and below, is relative to the configuration file.
	Vault string `json:"vault"`
	// Devices is "usb", or "usbip HOST:PORT" for virtual devices, which open
	// under a training agreement only.
	Devices string `json:"devices"`
	// Window is the size in pixels at scale 1, "1280x800"; FullScreen takes the
	// whole screen, without a frame.
	Window     string `json:"window"`
	FullScreen bool   `json:"fullScreen"`
	// Traveller opens a second window of the same size, without a frame to touch,
	// for a screen that faces the person; the window manager's rule for the title
	// "Tambo: traveller" puts it there.
	Traveller bool `json:"traveller"`
	// Density is how many pixels at scale 1 a millimetre of the panel has: it
	// decides how large what is touched is drawn.
	Density float32 `json:"pixelsPerMillimetre"`
	// Language is "es" or "en"; the window can be switched at any time.
	Language string `json:"language"`
	Night    bool   `json:"night"`
	// IdleLock is how long nobody touches anything before the kiosk locks, as
	// "5m".
	IdleLock string `json:"idleLock"`
	// Print is the command that prints a PDF from its standard input, and its
	// arguments; empty: slips are shown and not printed.
	Print []string `json:"print"`
	// Slips is the folder in which papers are saved as PDF when no print command
	// is configured: what is on them about a person then lies there in the clear.
	// Empty: they are not saved.
	Slips string `json:"slips"`
	// CrashLog is where it is noted that the window ended by itself, and at
	// which line. Nothing about a person is in it. Empty: crash.log beside the
	// vault.
	CrashLog string `json:"crashLog"`

	file          string // where it was read from
	width, height int
	idle          time.Duration
	usbip         string // address; empty: real USB
}

func defaults() Config {
	return Config{Devices: "usb", Window: "1280x800", Density: 5, Language: "es", IdleLock: "5m"}
}

var windowSize = regexp.MustCompile(`^(\d{3,5})x(\d{3,5})$`)

// load reads a configuration file and checks it, naming every fault.
func load(path string) (Config, error) {
	c := defaults()
	b, err := os.ReadFile(path)
	if err != nil {
		return c, err
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&c); err != nil {
		return c, fmt.Errorf("%s: %w", path, err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return c, fmt.Errorf("%s: something follows the configuration", path)
	}
	c.file = path
	for _, f := range []*string{&c.Vault, &c.Slips, &c.CrashLog} {
		if *f != "" && !filepath.IsAbs(*f) {
			*f = filepath.Join(filepath.Dir(path), *f)
		}
	}
	if err := c.check(); err != nil {
		return c, fmt.Errorf("%s: %w", path, err)
	}
	return c, nil
}

// check reports every field that cannot be used, and works out the others.
func (c *Config) check() error {
	var faults []error
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	if c.Vault == "" {
		fault("vault is missing: the folder that `tambo-diag kiosk setup` made")
	}
	if m := windowSize.FindStringSubmatch(c.Window); m == nil {
		fault("window %q is not WIDTHxHEIGHT", c.Window)
	} else {
		fmt.Sscan(m[1], &c.width)
		fmt.Sscan(m[2], &c.height)
		if c.width < 1024 || c.height < 768 {
			fault("window %s is smaller than 1024x768", c.Window)
		}
	}
	if c.Density < 2 || c.Density > 20 {
		fault("pixelsPerMillimetre %g is not 2 to 20", c.Density)
	}
	if c.Language != "es" && c.Language != "en" {
		fault("language %q is neither es nor en", c.Language)
	}
	var err error
	if c.idle, err = time.ParseDuration(c.IdleLock); err != nil || c.idle < 10*time.Second || c.idle > 12*time.Hour {
		fault("idleLock %q is not a time from 10s to 12h", c.IdleLock)
	}
	if addr, ok := strings.CutPrefix(c.Devices, "usbip "); ok {
		if _, _, err := net.SplitHostPort(addr); err != nil {
			fault("devices: %w", err)
		}
		c.usbip = addr
	} else if c.Devices != "usb" {
		fault(`devices %q is neither "usb" nor "usbip HOST:PORT"`, c.Devices)
	}
	if c.CrashLog == "" && c.Vault != "" {
		c.CrashLog = filepath.Join(filepath.Dir(c.Vault), "crash.log")
	}
	return errors.Join(faults...)
}
