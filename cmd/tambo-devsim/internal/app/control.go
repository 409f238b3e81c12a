package app

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"tambo/devices/virtual"
)

// handle carries out one request of the control socket.
func (d *devsim) handle(_ context.Context, words []string) ([]string, error) {
	verb, args := words[0], words[1:]
	need := map[string]int{"person": 1, "visit": 1, "page": 1, "scene": 1, "face": 1, "plug": 1, "unplug": 1}
	if n, ok := need[verb]; ok && len(args) != n {
		return nil, fmt.Errorf("%s wants %d word", verb, n)
	}
	switch verb {
	case "person":
		return nil, d.setPerson(args[0])
	case "visit":
		n, err := strconv.Atoi(args[0])
		if err != nil || n < 1 {
			return nil, fmt.Errorf("visit %q: want a number from 1", args[0])
		}
		return nil, d.setVisit(n)
	case "page":
		return nil, d.pages.setPage(args[0])
	case "scene":
		return nil, d.eyes.setMode(args[0])
	case "face":
		return nil, d.faces.setMood(strings.ReplaceAll(args[0], "-", " "))
	case "plug", "unplug":
		return nil, d.plug(verb == "plug", args[0])
	case "fault":
		return nil, d.fault(args)
	case "list":
		return d.list(), nil
	case "quit":
		time.AfterFunc(50*time.Millisecond, d.quit) // after the answer
		return nil, nil
	}
	return nil, fmt.Errorf("no request %q: person, visit, page, scene, face, plug, unplug, fault, list, quit", verb)
}

func (d *devsim) device(name string) (*virtual.Device, string, error) {
	switch name {
	case "camera":
		return d.camera, cameraPort, nil
	case "scanner":
		return d.scanner, scannerPort, nil
	case "face":
		return d.face, d.facePort, nil
	}
	return nil, "", fmt.Errorf("no device %q: camera, scanner or face", name)
}

func (d *devsim) plug(in bool, name string) error {
	dev, port, err := d.device(name)
	switch {
	case err != nil:
		return err
	case !in:
		d.bus.Unplug(port)
		return nil
	case d.bus.Device(port) != nil:
		return nil
	}
	return d.bus.Plug(port, dev)
}

// fault sets what the framework does to a device's transfers; for the scanner,
// escl= and times= set what it does above USB.
func (d *devsim) fault(args []string) error {
	if len(args) < 2 {
		return fmt.Errorf("fault wants a device and none, or name=value")
	}
	dev, _, err := d.device(args[0])
	if err != nil {
		return err
	}
	var escl virtual.ScannerFault
	var rest []string
	times := -1
	for _, w := range args[1:] {
		key, val, _ := strings.Cut(w, "=")
		switch {
		case key == "escl" && dev == d.scanner:
			escl = virtual.ScannerFault(val)
		case key == "times" && dev == d.scanner:
			if times, err = strconv.Atoi(val); err != nil {
				return fmt.Errorf("times %q: want a number", val)
			}
		default:
			rest = append(rest, w)
		}
	}
	f, err := virtual.ParseFaults(strings.Join(rest, " "))
	if err != nil {
		return err
	}
	if s, ok := dev.Function().(*virtual.Scanner); ok {
		if err := s.SetFault(escl, times); err != nil {
			return err
		}
	}
	dev.SetFaults(f)
	return nil
}

func (d *devsim) list() []string {
	state := func(port string) string {
		if d.bus.Device(port) == nil {
			return "unplugged"
		}
		return "plugged in at " + port
	}
	return []string{
		"camera " + state(cameraPort) + "; " + d.eyes.String(),
		"scanner " + state(scannerPort) + "; " + d.pages.String(),
		"face " + state(d.facePort) + "; " + d.faces.String(),
	}
}
