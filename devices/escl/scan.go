package escl

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"tambo/devices"
	"tambo/devices/escl/internal/ippusb"
)

// How long a device may say "later" (503, Retry-After) before a page counts as
// stalled, and how often it is asked.
const (
	laterMax = 2 * time.Minute
	laterGap = time.Second
	gapMin   = 100 * time.Millisecond
	gapMax   = 10 * time.Second
)

// Scan implements [devices.DocumentScanner]. progress is called on the caller's
// goroutine. When ctx is cancelled the error wraps context.Canceled, Scan
// returns at once, and the job is deleted on the device in the background; a
// following Scan waits for that.
func (s *Scanner) Scan(ctx context.Context, opt devices.ScanOptions, progress func(received int64)) (devices.Page, error) {
	if err := s.begin(ctx); err != nil {
		return devices.Page{}, fail(s.label, "scan", err)
	}
	defer s.end()
	page, err := s.scan(ctx, opt, progress)
	if err != nil {
		return devices.Page{}, fail(s.label, "scan", err)
	}
	return page, nil
}

// begin takes the right to scan, after the job before is cleaned away.
func (s *Scanner) begin(ctx context.Context) error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return ippusb.ErrClosed
	}
	if s.scanning {
		s.mu.Unlock()
		return because(devices.ErrBusy, "a scan is in progress")
	}
	s.scanning = true
	cleaning := s.cleaning
	s.mu.Unlock()
	if cleaning == nil {
		return nil
	}
	select {
	case <-cleaning:
		return nil
	case <-ctx.Done():
		s.end()
		return ctx.Err()
	}
}

func (s *Scanner) end() {
	s.mu.Lock()
	s.scanning = false
	s.mu.Unlock()
}

// clean runs f in the background; the next scan waits for it.
func (s *Scanner) clean(f func(ctx context.Context)) {
	done := make(chan struct{})
	if !s.spawn(func() {
		defer close(done)
		ctx, cancel := context.WithTimeout(s.ctx, grace)
		defer cancel()
		f(ctx)
	}) {
		return
	}
	s.mu.Lock()
	s.cleaning = done
	s.mu.Unlock()
}

// spawn starts a goroutine that Close waits for; false after Close.
func (s *Scanner) spawn(f func()) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.wg.Add(1)
	go func() {
		defer s.wg.Done()
		f()
	}()
	return true
}

func (s *Scanner) scan(ctx context.Context, opt devices.ScanOptions, progress func(int64)) (devices.Page, error) {
	s.mu.Lock()
	caps := s.caps
	s.mu.Unlock()
	set, err := caps.choose(opt)
	if err != nil {
		return devices.Page{}, err
	}
	if set.source == devices.SourceFeeder {
		st, err := s.status(ctx)
		if err != nil {
			return devices.Page{}, err
		}
		if err := st.problem("", true); err != nil {
			return devices.Page{}, err
		}
	}
	path, err := s.createJob(ctx, set)
	if err != nil {
		return devices.Page{}, err
	}
	// A job that delivered its page must be ended too, or a feeder goes on.
	defer s.clean(func(ctx context.Context) { s.deleteJob(ctx, path) })
	data, err := s.nextDocument(ctx, path, set, progress)
	if err != nil {
		return devices.Page{}, err
	}
	at := time.Now()
	page, err := decodePage(data, set)
	page.At = at
	return page, err
}

// createJob posts the settings and returns the path of the job. If ctx ends
// before the device has answered, the job that it may still make is deleted.
func (s *Scanner) createJob(ctx context.Context, set settings) (string, error) {
	type result struct {
		path string
		err  error
	}
	answer := make(chan result, 1)
	post, cancel := context.WithCancel(s.ctx)
	if !s.spawn(func() {
		path, err := s.post(post, set)
		answer <- result{path, err}
	}) {
		cancel()
		return "", ippusb.ErrClosed
	}
	select {
	case r := <-answer:
		cancel()
		return r.path, r.err
	case <-ctx.Done():
	}
	s.clean(func(ctx context.Context) {
		defer cancel()
		select {
		case r := <-answer:
			if r.err == nil {
				s.deleteJob(ctx, r.path)
			}
		case <-ctx.Done():
		}
	})
	return "", ctx.Err()
}

func (s *Scanner) post(ctx context.Context, set settings) (string, error) {
	body, err := set.xml()
	if err != nil {
		return "", err
	}
	resp, err := s.t.Do(ctx, ippusb.Request{Method: http.MethodPost, Path: root + "/ScanJobs",
		ContentType: "text/xml", Body: body, Limit: maxXML, Idle: xmlIdle})
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	if resp.Status == http.StatusCreated {
		path, ok := jobPath(resp.Header.Get("Location"))
		if !ok {
			return "", because(devices.ErrBadData, "location of the scan job: %.100q", resp.Header.Get("Location"))
		}
		return path, nil
	}
	feeder := set.source == devices.SourceFeeder
	if err := s.trouble(ctx, "", feeder); err != nil {
		return "", err
	}
	switch resp.Status {
	case http.StatusServiceUnavailable:
		return "", because(devices.ErrBusy, "it does not take a scan job now")
	case http.StatusBadRequest, http.StatusConflict, http.StatusUnsupportedMediaType,
		http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound:
		return "", because(devices.ErrUnsupported, "it refuses the scan settings with status %d", resp.Status)
	}
	return "", because(devices.ErrBadData, "status %d for a scan job", resp.Status)
}

// nextDocument fetches the page, waiting while the device says "later".
func (s *Scanner) nextDocument(ctx context.Context, path string, set settings, progress func(int64)) ([]byte, error) {
	feeder := set.source == devices.SourceFeeder
	for start := time.Now(); ; {
		resp, err := s.t.Do(ctx, ippusb.Request{Method: http.MethodGet, Path: path + "/NextDocument",
			Limit: set.encodedLimit(), Idle: pageIdle})
		if err != nil {
			return nil, err
		}
		if resp.Status == http.StatusOK {
			data, err := receive(resp.Body, progress)
			_ = resp.Body.Close()
			return data, err
		}
		_ = resp.Body.Close()
		later := resp.Status == http.StatusServiceUnavailable
		// While a page is under way, an empty feeder only means that it was the last.
		if err := s.trouble(ctx, path, feeder); err != nil && !(later && errors.Is(err, devices.ErrNoPaper)) {
			return nil, err
		}
		switch gone := resp.Status == http.StatusNotFound || resp.Status == http.StatusGone; {
		case later, gone && s.q.retryGone:
			if time.Since(start) > laterMax {
				return nil, because(devices.ErrStalled, "no page for %v", laterMax)
			}
			if err := wait(ctx, retryAfter(resp.Header.Get("Retry-After"))); err != nil {
				return nil, err
			}
		case gone && feeder:
			return nil, devices.ErrNoPaper
		case gone:
			return nil, because(devices.ErrBadData, "the scan job ended without a page")
		default:
			return nil, because(devices.ErrBadData, "the scan job ended with status %d", resp.Status)
		}
	}
}

// trouble asks the device whether a person must do something. That it cannot
// be asked is no trouble of its own.
func (s *Scanner) trouble(ctx context.Context, path string, feeder bool) error {
	st, err := s.status(ctx)
	if err != nil {
		return nil
	}
	return st.problem(path, feeder)
}

// receive takes the page as it comes.
func receive(r io.Reader, progress func(int64)) ([]byte, error) {
	var all bytes.Buffer
	buf := make([]byte, 32<<10)
	for {
		n, err := r.Read(buf)
		if n > 0 {
			all.Write(buf[:n])
			if progress != nil {
				progress(int64(all.Len()))
			}
		}
		if err == io.EOF {
			return all.Bytes(), nil
		}
		if err != nil {
			return nil, fmt.Errorf("after %d bytes: %w", all.Len(), err)
		}
	}
}

// deleteJob ends a job; what the device answers changes nothing.
func (s *Scanner) deleteJob(ctx context.Context, path string) {
	resp, err := s.t.Do(ctx, ippusb.Request{Method: http.MethodDelete, Path: path, Limit: maxXML, Idle: grace})
	if err == nil {
		_, _ = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
	}
}

// jobPath takes the path from a Location or JobUri. The host in it means
// nothing on a pipe and is often wrong (a Xerox B205 says "http://[fe80/eSCL/…").
func jobPath(location string) (string, bool) {
	p := strings.TrimSpace(location)
	if _, rest, ok := strings.Cut(p, "://"); ok {
		i := strings.IndexByte(rest, '/')
		if i < 0 {
			return "", false
		}
		p = rest[i:]
	}
	p = strings.TrimRight(p, "/")
	if len(p) < 2 || len(p) > 512 || p[0] != '/' {
		return "", false
	}
	for _, c := range []byte(p) {
		if c <= ' ' || c >= 0x7f {
			return "", false
		}
	}
	return p, true
}

// retryAfter reads a Retry-After header in seconds; dates and nonsense give
// the default.
func retryAfter(v string) time.Duration {
	n, err := strconv.Atoi(strings.TrimSpace(v))
	if err != nil || n < 0 {
		return laterGap
	}
	return min(max(time.Duration(n)*time.Second, gapMin), gapMax)
}

func wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
