package technician

import (
	"context"
	"fmt"
	"strings"

	"tambo/devices"
	"tambo/devices/discover"
	"tambo/devices/usb"
)

// listed is a device as JSON. There is no serial number in it.
type listed struct {
	Bus  string `json:"bus"`
	Port string `json:"port"`
	// Function is the interface number of its video function, where it has several.
	Function int          `json:"function,omitempty"`
	Vendor   string       `json:"vendor"`
	Product  string       `json:"product"`
	Name     string       `json:"name"`
	Speed    string       `json:"speed"`
	Kind     devices.Kind `json:"kind,omitempty"`
	Driver   string       `json:"driver,omitempty"`
	WhyNot   string       `json:"whyNot,omitempty"`
	Quirks   string       `json:"quirks,omitempty"` // where they are known from
	Virtual  bool         `json:"virtual,omitempty"`

	Words  []string `json:"descriptors,omitempty"`
	Opens  *bool    `json:"opens,omitempty"`
	Result string   `json:"result,omitempty"`
}

var speeds = map[usb.Speed]string{usb.SpeedLow: "1.5 Mbit/s", usb.SpeedFull: "12 Mbit/s", usb.SpeedHigh: "480 Mbit/s", usb.SpeedSuper: "5 Gbit/s"}

func listedOf(d discover.Device) listed {
	speed := speeds[d.USB().Speed]
	if speed == "" {
		speed = "speed not known"
	}
	return listed{Bus: d.Bus, Port: d.Info.Port, Vendor: fmt.Sprintf("%04x", d.Info.VendorID), Product: fmt.Sprintf("%04x", d.Info.ProductID), Name: d.Info.Name,
		Speed: speed, Kind: d.Info.Kind, Driver: d.Info.Driver, WhyNot: d.WhyNot, Quirks: d.Source, Virtual: d.Info.Virtual, Function: d.Function()}
}

func (l listed) String() string {
	what := fmt.Sprintf("%s, driver %s", l.Kind, l.Driver)
	if l.WhyNot != "" {
		what = "not taken: " + l.WhyNot
	}
	if l.Function != 0 {
		what = fmt.Sprintf("interface %d: %s", l.Function, what)
	}
	return fmt.Sprintf("port %-8s %s:%s  %-38s %-10s %s", l.Port, l.Vendor, l.Product, l.Name, l.Speed, what)
}

// list says what is plugged in, which driver took it and why not.
func list(ctx context.Context, o *options, _ []string, _ *deviceFlags) error {
	d, end, err := o.finder()
	if err != nil {
		return err
	}
	defer end()
	found, err := d.List(ctx)
	all := []listed{}
	for _, f := range found {
		all = append(all, listedOf(f))
	}
	if o.json {
		if perr := o.print(all); perr != nil {
			return perr
		}
		return err
	}
	camera, scanner := false, false
	for _, l := range all {
		camera, scanner = camera || l.Kind == devices.KindIrisCamera, scanner || l.Kind == devices.KindDocumentScanner
	}
	switch {
	case err != nil:
		o.line("Most likely: the USB bus. %v", err)
	case camera && scanner:
		o.line("An iris camera and a document scanner are there.")
	case camera:
		o.line("The document scanner is missing: plug it in, or see below why it is not taken.")
	case scanner:
		o.line("The iris camera is missing: plug it in, or see below why it is not taken.")
	default:
		o.line("Neither an iris camera nor a document scanner is there: plug them in, or see below why they are not taken.")
	}
	for _, l := range all {
		o.line("%s", l)
	}
	return err
}

// probe decodes descriptors, and opens what a driver takes.
func probe(ctx context.Context, o *options, args []string, f *deviceFlags) error {
	if len(args) > 1 {
		return wrongUse("one port, or none for all")
	}
	if len(args) == 1 {
		f.port = args[0]
	}
	d, end, err := o.finder()
	if err != nil {
		return err
	}
	defer end()
	found, err := d.List(ctx)
	if err != nil {
		return err
	}
	var all []listed
	failed := 0
	for _, x := range found {
		if f.port != "" && x.Info.Port != f.port {
			continue
		}
		l := listedOf(x)
		l.Words = decode(x.USB())
		if x.WhyNot == "" {
			result, err := tryOpen(ctx, d, x)
			ok := err == nil
			if l.Opens, l.Result = &ok, result; err != nil {
				l.Result = err.Error()
				failed++
			}
		}
		all = append(all, l)
	}
	if len(all) == 0 {
		return fmt.Errorf("nothing is plugged in at port %q: see tambo-diag devices list", f.port)
	}
	if o.json {
		if err := o.print(all); err != nil {
			return err
		}
	} else {
		for _, l := range all {
			o.line("%s", l)
			if l.Result != "" {
				o.line("  %s", l.Result)
			}
			for _, w := range l.Words {
				o.line("  %s", w)
			}
		}
	}
	if failed > 0 {
		return fmt.Errorf("%d devices did not open", failed)
	}
	return nil
}

// tryOpen opens a device and says what it offers.
func tryOpen(ctx context.Context, d *discover.Discovery, x discover.Device) (string, error) {
	switch x.Info.Kind {
	case devices.KindIrisCamera:
		c, err := x.OpenIris(ctx)
		if err != nil {
			return "", err
		}
		return "opens; its streams are tried by `tambo-diag devices watch`", c.Close()
	case devices.KindFaceCamera:
		c, err := x.OpenFace(ctx)
		if err != nil {
			return "", err
		}
		return "opens; its streams are tried by `tambo-diag devices watch`", c.Close()
	case devices.KindDocumentScanner:
		s, err := x.OpenScanner(ctx)
		if err != nil {
			return "", err
		}
		defer s.Close()
		c, err := s.Capabilities(ctx)
		if err != nil {
			return "", err
		}
		kinds := []string{}
		if c.Colour {
			kinds = append(kinds, "colour")
		}
		if c.Grey {
			kinds = append(kinds, "grey")
		}
		return fmt.Sprintf("opens; %v dpi, %s, %v, %.0f × %.0f mm, %s", c.Resolutions, strings.Join(kinds, " and "), c.Sources,
			float64(c.MaxWidth)*25.4/300, float64(c.MaxHeight)*25.4/300, strings.Join(c.DocumentTypes, ", ")), nil
	}
	return "has a driver that is not tried here", nil
}
