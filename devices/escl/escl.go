// Package escl drives document scanners that speak eSCL (Mopria Alliance, "eSCL
// Technical Specification" 2.x) over IPP-over-USB, as driverless scanners and
// printers with a scanner do.
//
// A page is returned whole or not at all. What a device sends is bounded before
// memory is taken for it: XML to 1 MiB, pages to what their size allows, images
// to 170 MiB by their header, JPEGs also by the scans and tables that they have. It
// reads JPEG, PNG, and PDF that is one picture on one page, which it takes out; any
// other PDF is refused. It never judges or changes a page, never looks for devices
// (that is [tambo/devices/discover]) and never talks to a scanner over a network.
package escl

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"

	"tambo/devices"
	"tambo/devices/escl/internal/ippusb"
	"tambo/devices/usb"
)

const (
	root     = "/eSCL"
	xmlIdle  = 15 * time.Second // the longest silence while waiting for a document
	pageIdle = 60 * time.Second // and for a page: lamps warm up
	// grace is what a device gets to finish what a caller gave up.
	grace = 5 * time.Second
)

// Scanner is an opened eSCL scanner. It implements [devices.DocumentScanner].
// Methods may be called from any goroutine.
type Scanner struct {
	info  devices.Info
	label string // for errors: name and port
	dev   usb.Device
	t     *ippusb.Transport
	q     quirks

	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	wg     sync.WaitGroup // what spawn started

	mu       sync.Mutex
	closed   bool
	scanning bool
	cleaning chan struct{} // closed when the job before is deleted; nil if there is none
	caps     *capabilities
}

var _ devices.DocumentScanner = (*Scanner)(nil)

// Match reports whether a device may be an eSCL scanner: it has IPP-over-USB
// interfaces. A printer without a scanner has them too; Open tells.
func Match(info usb.DeviceInfo) bool { return len(ippusb.Ports(info)) > 0 }

// Open opens the scanner at info.Port and reads its capabilities.
//
// Errors: ErrUnsupported if there is no eSCL scanner behind it (final), ErrBusy
// if another program holds it, otherwise those of [devices].
func Open(ctx context.Context, bus usb.Bus, info usb.DeviceInfo) (devices.DocumentScanner, error) {
	s, err := open(ctx, bus, info)
	if err != nil {
		return nil, fail(label(info), "open", err)
	}
	return s, nil
}

func label(info usb.DeviceInfo) string {
	name := deviceName(info)
	if name == "" {
		name = "document scanner"
	}
	return fmt.Sprintf("%s (port %s)", name, info.Port)
}

func open(ctx context.Context, bus usb.Bus, info usb.DeviceInfo) (*Scanner, error) {
	ports := ippusb.Ports(info)
	if len(ports) == 0 {
		return nil, because(devices.ErrUnsupported, "no IPP-over-USB interface")
	}
	q, err := quirksOf(info)
	if err != nil {
		return nil, err
	}
	if q.refused != "" {
		return nil, because(devices.ErrUnsupported, "this model is known not to work (%s)", q.refused)
	}
	dev, err := bus.Open(ctx, info.Port)
	if err != nil {
		return nil, err
	}
	s := &Scanner{label: label(info), dev: dev, q: q,
		info: devices.Info{Kind: devices.KindDocumentScanner, Name: deviceName(info), Port: info.Port,
			VendorID: info.VendorID, ProductID: info.ProductID, Serial: usb.CleanName(info.Strings.Serial),
			Driver: "escl", Virtual: bus.Virtual() || info.Virtual}}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.t, err = ippusb.Open(ctx, dev, ports, ippusb.Options{Quirks: s.q.pipe, Drain: grace})
	if err == nil {
		if _, err = s.capabilities(ctx); err != nil {
			_ = s.t.Close()
		}
	}
	if err != nil {
		s.cancel()
		_ = dev.Close()
		return nil, err
	}
	return s, nil
}

// Info implements [devices.DocumentScanner].
func (s *Scanner) Info() devices.Info { return s.info }

// Capabilities implements [devices.DocumentScanner]. It asks the device each
// time. The size is that of the platen, or of the feeder where there is no
// platen.
func (s *Scanner) Capabilities(ctx context.Context) (devices.ScannerCapabilities, error) {
	c, err := s.capabilities(ctx)
	if err != nil {
		return devices.ScannerCapabilities{}, fail(s.label, "read capabilities", err)
	}
	var out devices.ScannerCapabilities
	for _, id := range []devices.ScanSource{devices.SourcePlaten, devices.SourceFeeder} {
		src := c.sources[id]
		if src == nil {
			continue
		}
		out.Sources = append(out.Sources, id)
		if out.MaxWidth == 0 {
			out.MaxWidth, out.MaxHeight = src.maxWidth, src.maxHeight
		}
		out.Colour = out.Colour || src.colour
		out.Grey = out.Grey || src.grey
		for _, r := range src.resolutions {
			if !slices.Contains(out.Resolutions, r) {
				out.Resolutions = append(out.Resolutions, r)
			}
		}
		for _, f := range decodable {
			if slices.Contains(src.formats, f) && !slices.Contains(out.DocumentTypes, f) {
				out.DocumentTypes = append(out.DocumentTypes, f)
			}
		}
	}
	slices.Sort(out.Resolutions)
	return out, nil
}

func (s *Scanner) capabilities(ctx context.Context) (*capabilities, error) {
	data, err := s.getXML(ctx, root+"/ScannerCapabilities")
	if err != nil {
		return nil, err
	}
	c, err := parseCapabilities(data)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	s.caps = c
	s.mu.Unlock()
	return c, nil
}

func (s *Scanner) status(ctx context.Context) (*status, error) {
	data, err := s.getXML(ctx, root+"/ScannerStatus")
	if err != nil {
		return nil, err
	}
	return parseStatus(data)
}

// getXML fetches one document.
func (s *Scanner) getXML(ctx context.Context, path string) ([]byte, error) {
	resp, err := s.t.Do(ctx, ippusb.Request{Method: http.MethodGet, Path: path, Limit: maxXML, Idle: xmlIdle})
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	switch resp.Status {
	case http.StatusOK:
		return data, nil
	case http.StatusNotFound, http.StatusGone, http.StatusForbidden, http.StatusUnauthorized:
		return nil, because(devices.ErrUnsupported, "status %d for %s", resp.Status, path)
	case http.StatusServiceUnavailable:
		return nil, because(devices.ErrBusy, "status 503 for %s", path)
	}
	return nil, because(devices.ErrBadData, "status %d for %s", resp.Status, path)
}

// Close cancels what is in progress and releases the device. Idempotent.
func (s *Scanner) Close() error {
	s.mu.Lock()
	done := s.closed
	s.closed = true
	s.mu.Unlock()
	s.cancel()
	err := s.t.Close()
	s.wg.Wait()
	if done {
		return nil
	}
	if e := s.dev.Close(); err == nil {
		err = e
	}
	if errors.Is(err, usb.ErrGone) {
		return nil
	}
	return fail(s.label, "close", err)
}
