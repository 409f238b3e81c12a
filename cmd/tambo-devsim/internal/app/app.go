// Package app wires tambo-devsim: flags, scenes, a virtual camera and scanner on a
// bus, a USB/IP server on loopback and the control socket. It has no logic of
// the devices themselves and never touches a real one.
package app

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"image"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"tambo/devices/usb/usbip"
	"tambo/devices/virtual"
	"tambo/devices/virtual/control"
)

// Ports that the devices are plugged into.
const (
	cameraPort  = "1-1"
	scannerPort = "1-2"
	facePort    = "1-3"
)

type options struct {
	listen, portFile, control string
	eyes, pages, faces        string
	faceSize                  string
	person                    string
	seed                      uint64
	sideBySide, worn, quiet   bool
	isochronous, composite    bool
	twin                      bool
}

// Run is the program; it returns the exit code.
func Run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	o, err := parse(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err != nil {
		return 2
	}
	if err := run(ctx, o, stdout, stderr); err != nil {
		fmt.Fprintf(stderr, "tambo-devsim: %v\n", err)
		return 1
	}
	return 0
}

func parse(args []string, stderr io.Writer) (options, error) {
	var o options
	f := flag.NewFlagSet("tambo-devsim", flag.ContinueOnError)
	f.SetOutput(stderr)
	f.Usage = func() {
		fmt.Fprintln(stderr, "usage: tambo-devsim [flags]\n\nA virtual iris camera, face camera and document scanner over USB/IP, for training.\n\nflags:")
		f.PrintDefaults()
	}
	f.StringVar(&o.listen, "listen", usbip.DefaultAddress, "loopback `address` of the USB/IP server; port 0 picks one")
	f.StringVar(&o.portFile, "port-file", "", "write the address that is listened on to this `file`")
	f.StringVar(&o.control, "control", "", "unix socket `path` for commands (person, visit, page, scene, face, plug, unplug, fault, list, quit)")
	f.StringVar(&o.eyes, "eyes", "", "`folder` with real eyes PERSON_L_*.png|bmp|jpg and PERSON_R_*; generated eyes without it")
	f.StringVar(&o.pages, "pages", "", "`folder` with real pages PERSON*.png|bmp|jpg; generated pages without it")
	f.StringVar(&o.faces, "faces", "", "`folder` with real faces PERSON*.png|bmp|jpg; drawn faces without it")
	f.StringVar(&o.faceSize, "face-size", "640x480", "`size` of the face camera's picture")
	f.StringVar(&o.person, "person", "1", "who sits in front of the cameras and whose page lies on the glass at first: name or `number`")
	f.Uint64Var(&o.seed, "seed", 0, "added to the `number` of generated people, so that runs have others")
	f.BoolVar(&o.sideBySide, "side-by-side", false, "a camera with both eyes in one frame, in place of two streams")
	f.BoolVar(&o.isochronous, "isochronous", false, "cameras with isochronous endpoints, in place of bulk")
	f.BoolVar(&o.composite, "composite", false, "eyes and face in one device, in place of two")
	f.BoolVar(&o.twin, "twin", false, "face and eyes in one device as two video functions, in place of two devices")
	f.BoolVar(&o.worn, "worn", false, "generated pages are badly worn")
	f.BoolVar(&o.quiet, "quiet", false, "print nothing but errors")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	if f.NArg() > 0 {
		fmt.Fprintf(stderr, "tambo-devsim: unexpected %q\n", f.Arg(0))
		return o, errors.New("usage")
	}
	return o, nil
}

// devsim is the running simulator.
type devsim struct {
	bus             *virtual.Bus
	camera, scanner *virtual.Device
	face            *virtual.Device // the camera itself where it is composite
	facePort        string
	eyes            *eyeScene
	pages           *pageScene
	faces           *faceScene
	quit            context.CancelFunc
}

func run(ctx context.Context, o options, stdout, stderr io.Writer) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	d, err := build(o)
	if err != nil {
		return err
	}
	d.quit = cancel
	defer d.bus.Close()
	level := slog.LevelInfo
	if o.quiet {
		level = slog.LevelError
		stdout = io.Discard
	}
	server, err := virtual.Listen(o.listen, d.bus, slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: level})))
	if err != nil {
		return err
	}
	defer server.Close()
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	failed := make(chan error, 2)
	if o.control != "" {
		l, err := control.Listen(o.control)
		if err != nil {
			return err
		}
		defer os.Remove(o.control)
		wg.Go(func() { failed <- control.Serve(ctx, l, d.handle); cancel() })
	}
	if o.portFile != "" {
		if err := writeFile(o.portFile, server.Addr()+"\n"); err != nil {
			return err
		}
		defer os.Remove(o.portFile)
	}
	fmt.Fprintf(stdout, "tambo-devsim: virtual iris camera at %s, scanner at %s and face camera at %s, USB/IP on %s; %s; %s; %s\n",
		cameraPort, scannerPort, d.facePort, server.Addr(), d.eyes, d.pages, d.faces)
	wg.Go(func() { failed <- server.Serve(ctx); cancel() })
	<-ctx.Done()
	return <-failed
}

// build makes scenes and devices and plugs them in.
func build(o options) (*devsim, error) {
	d := &devsim{bus: virtual.NewBus()}
	var err error
	if d.eyes, err = newEyeScene(o.eyes, o.seed); err != nil {
		return nil, err
	}
	if d.pages, err = newPageScene(o.pages, o.seed, o.worn); err != nil {
		return nil, err
	}
	if d.faces, err = newFaceScene(o.faces, o.seed); err != nil {
		return nil, err
	}
	if err := d.setPerson(o.person); err != nil {
		return nil, err
	}
	if err := d.pages.setPage(o.person); err != nil && o.pages == "" {
		return nil, err
	}
	if err := d.makeCameras(o); err != nil {
		return nil, err
	}
	if d.scanner, err = virtual.NewScanner(d.pages, virtual.ScannerOptions{}); err != nil {
		return nil, err
	}
	if err := d.bus.Plug(cameraPort, d.camera); err != nil {
		return nil, err
	}
	if d.face != d.camera {
		if err := d.bus.Plug(d.facePort, d.face); err != nil {
			return nil, err
		}
	}
	return d, d.bus.Plug(scannerPort, d.scanner)
}

// makeCameras makes the iris and the face camera, two devices or one.
func (d *devsim) makeCameras(o options) error {
	picture, err := size(o.faceSize)
	if err != nil {
		return err
	}
	eyes := virtual.CameraOptions{Isochronous: o.isochronous}
	face := virtual.ColourOptions{Sizes: []image.Point{picture}, Interval: time.Second / 15, Isochronous: o.isochronous}
	d.facePort = facePort
	if o.composite || o.twin {
		if o.sideBySide || o.composite && o.twin {
			return errors.New("a device of eyes and face has a stream an eye, and is -composite or -twin")
		}
		make := virtual.NewCompositeCamera
		if o.twin {
			make = virtual.NewTwinCamera
		}
		d.camera, err = make(d.eyes, d.faces, eyes, face)
		d.face, d.facePort = d.camera, cameraPort
		return err
	}
	if o.sideBySide {
		eyes.Layout = virtual.SideBySide
	}
	if d.camera, err = virtual.NewCamera(d.eyes, eyes); err != nil {
		return err
	}
	d.face, err = virtual.NewColourCamera(d.faces, face)
	return err
}

// setPerson seats a person before both cameras, setVisit begins one of their
// visits.
func (d *devsim) setPerson(who string) error {
	if err := d.eyes.setPerson(who); err != nil {
		return err
	}
	return d.faces.sit(d.eyes.sitting())
}

func (d *devsim) setVisit(n int) error {
	if err := d.eyes.setVisit(n); err != nil {
		return err
	}
	return d.faces.sit(d.eyes.sitting())
}

// writeFile writes a small file whole: a reader sees all of it or nothing.
func writeFile(path, text string) error {
	tmp, err := os.CreateTemp(filepath.Dir(path), ".devsim-*")
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	if _, err := tmp.WriteString(text); err != nil {
		tmp.Close()
		return err
	}
	if err := tmp.Close(); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), path)
}
