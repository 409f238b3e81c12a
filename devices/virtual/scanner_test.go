package virtual

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"tambo/devices/usb"
)

// host speaks HTTP to a scanner by plain transfers, without any driver of ours.
type host struct {
	t     *testing.T
	dev   usb.Device
	iface usb.Interface
}

func plugScanner(t *testing.T, opt ScannerOptions) (*Scanner, *host) {
	t.Helper()
	dev, err := NewScanner(nil, opt)
	if err != nil {
		t.Fatal(err)
	}
	bus := NewBus()
	t.Cleanup(func() { bus.Close() })
	if err := bus.Plug("1-1", dev); err != nil {
		t.Fatal(err)
	}
	d, err := bus.Open(t.Context(), "1-1")
	if err != nil {
		t.Fatal(err)
	}
	i, err := d.Claim(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	return dev.Function().(*Scanner), &host{t, d, i}
}

func (h *host) ask(method, path, body string) (*http.Response, []byte) {
	h.t.Helper()
	req := fmt.Sprintf("%s %s HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%s", method, path, len(body), body)
	if _, err := h.iface.Write(h.t.Context(), 0x01, []byte(req), false); err != nil {
		h.t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(reader{h}), &http.Request{Method: method})
	if err != nil {
		h.t.Fatal(err)
	}
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		h.t.Fatal(err)
	}
	return resp, data
}

type reader struct{ h *host }

func (r reader) Read(p []byte) (int, error) {
	ctx, cancel := context.WithTimeout(r.h.t.Context(), 5*time.Second)
	defer cancel()
	return r.h.iface.Read(ctx, 0x81, p)
}

func settingsDoc(format string, width, dpi int) string {
	return fmt.Sprintf(`<scan:ScanSettings%s><pwg:ScanRegions><pwg:ScanRegion><pwg:Width>%d</pwg:Width><pwg:Height>400</pwg:Height></pwg:ScanRegion></pwg:ScanRegions>`+
		`<pwg:DocumentFormat>%s</pwg:DocumentFormat><scan:XResolution>%d</scan:XResolution><scan:YResolution>%d</scan:YResolution></scan:ScanSettings>`,
		esclNS, width, format, dpi, dpi)
}

func TestScannerPrinterRequests(t *testing.T) {
	_, h := plugScanner(t, ScannerOptions{})
	b := make([]byte, 200)
	n, err := h.dev.Control(t.Context(), usb.Setup{RequestType: 0xa1, Request: 0}, b)
	if err != nil || int(b[0])<<8|int(b[1]) != n || !bytes.Contains(b[:n], []byte("MDL:Virtual Scanner;")) {
		t.Errorf("device id %q, %v", b[:n], err)
	}
	if n, err := h.dev.Control(t.Context(), usb.Setup{RequestType: 0xa1, Request: 1}, b[:1]); n != 1 || err != nil || b[0] != 0x18 {
		t.Error("port status", n, err)
	}
	if _, err := h.dev.Control(t.Context(), usb.Setup{RequestType: 0x21, Request: 9}, nil); !errors.Is(err, usb.ErrStall) {
		t.Error(err)
	}
}

// Alternate setting 0 is a legacy printer: HTTP there is print data.
func TestScannerLegacySetting(t *testing.T) {
	_, h := plugScanner(t, ScannerOptions{})
	if _, err := h.iface.Write(t.Context(), 0x01, []byte("GET /eSCL/ScannerStatus HTTP/1.1\r\nHost: x\r\n\r\n"), false); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if n, err := h.iface.Read(ctx, 0x81, make([]byte, 512)); n != 0 || !errors.Is(err, usb.ErrTimeout) {
		t.Error(n, err)
	}
	if err := h.iface.SetAlt(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	if resp, body := h.ask("GET", "/eSCL/ScannerStatus", ""); resp.StatusCode != 200 || !bytes.Contains(body, []byte("<pwg:State>Idle<")) {
		t.Errorf("%d %s", resp.StatusCode, body)
	}
}

// One job, step by step, as any eSCL client would see it.
func TestScannerJob(t *testing.T) {
	_, h := plugScanner(t, ScannerOptions{ScanTime: 150 * time.Millisecond})
	if err := h.iface.SetAlt(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		method, path, body string
		want               int
	}{
		{"GET", "/", "", 404}, {"PUT", "/eSCL/ScannerStatus", "", 404}, {"GET", "/eSCL/ScanJobs/9/NextDocument", "", 404},
		{"DELETE", "/eSCL/ScanJobs/9", "", 404}, {"POST", "/eSCL/ScanJobs", "<oops", 400},
		{"POST", "/eSCL/ScanJobs", settingsDoc("image/jpeg", 9999, 75), 409},
		{"POST", "/eSCL/ScanJobs", settingsDoc("image/tiff", 400, 75), 409},
		{"POST", "/eSCL/ScanJobs", settingsDoc("image/jpeg", 400, 77), 409},
	} {
		if resp, _ := h.ask(c.method, c.path, c.body); resp.StatusCode != c.want {
			t.Errorf("%s %s %.60s: %d, want %d", c.method, c.path, c.body, resp.StatusCode, c.want)
		}
	}
	resp, _ := h.ask("POST", "/eSCL/ScanJobs", settingsDoc("image/png", 400, 75))
	job, ok := strings.CutPrefix(resp.Header.Get("Location"), "http://localhost")
	if resp.StatusCode != 201 || !ok {
		t.Fatal(resp.Status, resp.Header)
	}
	if resp, _ := h.ask("POST", "/eSCL/ScanJobs", settingsDoc("image/png", 400, 75)); resp.StatusCode != 503 {
		t.Error("a second job:", resp.Status)
	}
	if resp, _ := h.ask("GET", job+"/NextDocument", ""); resp.StatusCode != 503 || resp.Header.Get("Retry-After") == "" {
		t.Error("too early:", resp.Status)
	}
	time.Sleep(200 * time.Millisecond)
	resp, page := h.ask("GET", job+"/NextDocument", "")
	if resp.StatusCode != 200 || !bytes.HasPrefix(page, []byte("\x89PNG")) || resp.ContentLength != -1 {
		t.Error(resp.Status, len(page), resp.ContentLength)
	}
	if resp, _ := h.ask("GET", job+"/NextDocument", ""); resp.StatusCode != 404 {
		t.Error("a second page:", resp.Status)
	}
	if _, body := h.ask("GET", "/eSCL/ScannerStatus", ""); !bytes.Contains(body, []byte("JobCompletedSuccessfully")) {
		t.Errorf("%s", body)
	}
}

func TestScannerOptions(t *testing.T) {
	if _, err := NewScanner(nil, ScannerOptions{Width: 10, Height: 10}); err == nil {
		t.Error("a bed of nothing")
	}
	s, _ := plugScanner(t, ScannerOptions{})
	if err := s.SetFault("gremlins", 1); err == nil {
		t.Error("a fault that there is not")
	}
}
