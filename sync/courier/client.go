package courier

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"tambo/sync/wire"
)

// errFingerprint says that whoever answers does not hold the authority that a
// provisioning code names.
var errFingerprint = errors.New("the answer is not from the hub that made the code")

// checkURL insists on https and a host.
func checkURL(hub string) (*url.URL, error) {
	u, err := url.Parse(hub)
	if err != nil || u.Scheme != "https" || u.Host == "" || u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.User != nil {
		return nil, fmt.Errorf("hub address %q: want https://HOST:PORT", hub)
	}
	u.Path = ""
	return u, nil
}

// client returns an HTTP client with a TLS configuration, whose connections may
// not stand still for longer than stall.
func client(t *tls.Config, stall time.Duration) *http.Client {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	d := &net.Dialer{Timeout: min(stall, 15*time.Second)}
	return &http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			TLSClientConfig: t, TLSHandshakeTimeout: min(stall, 15*time.Second), Protocols: protocols,
			MaxIdleConnsPerHost: 1, IdleConnTimeout: stall, ResponseHeaderTimeout: stall, DisableCompression: true,
			DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
				conn, err := d.DialContext(ctx, network, addr)
				if err != nil {
					return nil, err
				}
				return &steady{conn, stall}, nil
			},
		},
	}
}

// steady is a connection of which every read and write has a deadline.
type steady struct {
	net.Conn
	stall time.Duration
}

func (s *steady) Read(b []byte) (int, error) {
	if err := s.SetReadDeadline(time.Now().Add(s.stall)); err != nil {
		return 0, err
	}
	return s.Conn.Read(b)
}

func (s *steady) Write(b []byte) (int, error) {
	if err := s.SetWriteDeadline(time.Now().Add(s.stall)); err != nil {
		return 0, err
	}
	return s.Conn.Write(b)
}

// mutual returns the TLS configuration of a provisioned kiosk: the pinned
// authority, and nothing else that the machine may trust.
func mutual(id Identity, now func() time.Time) (*tls.Config, error) {
	ca, err := x509.ParseCertificate(id.CA)
	if err != nil {
		return nil, fmt.Errorf("pinned authority: %w", err)
	}
	leaf, err := x509.ParseCertificate(id.Certificate)
	if err != nil {
		return nil, fmt.Errorf("kiosk's certificate: %w", err)
	}
	transport, err := x509.ParsePKCS8PrivateKey(id.TransportKey)
	if err != nil {
		return nil, fmt.Errorf("kiosk's transport key: %w", err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(ca)
	return &tls.Config{
		MinVersion: tls.VersionTLS13, RootCAs: pool, ServerName: wire.ServerName, Time: now,
		Certificates: []tls.Certificate{{Certificate: [][]byte{id.Certificate}, PrivateKey: transport, Leaf: leaf}},
	}, nil
}

// pinned returns the TLS configuration of a kiosk that is being provisioned: it
// knows the authority by its fingerprint only, and holds the connection against
// it before anything is sent.
func pinned(fp [16]byte, now func() time.Time) *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS13, ServerName: wire.ServerName, Time: now,
		InsecureSkipVerify: true, // in favour of VerifyConnection
		VerifyConnection: func(s tls.ConnectionState) error {
			for _, ca := range s.PeerCertificates[1:] {
				if wire.Fingerprint(ca.Raw) != fp {
					continue
				}
				pool := x509.NewCertPool()
				pool.AddCert(ca)
				_, err := s.PeerCertificates[0].Verify(x509.VerifyOptions{Roots: pool, DNSName: wire.ServerName, CurrentTime: now()})
				return err
			}
			return errFingerprint
		},
	}
}

// link is one hub, as this kiosk reaches it.
type link struct {
	http *http.Client
	hub  *url.URL
}

// call makes a request and reads a JSON answer into out (nil: no body wanted).
// An answer that is a problem is returned as a *wire.Problem.
func (l *link) call(ctx context.Context, method, route, query, contentType string, body []byte, out any) error {
	u := *l.hub
	u.Path, u.RawQuery = route, query
	req, err := http.NewRequestWithContext(ctx, method, u.String(), bytes.NewReader(body))
	if err != nil {
		return err
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	again(req)
	resp, err := l.http.Do(req)
	if err != nil {
		return err
	}
	defer drain(resp.Body)
	if resp.StatusCode/100 != 2 {
		return problem(resp)
	}
	if out == nil {
		return nil
	}
	return wire.DecodeAnswer(resp.Body, out)
}

// again lets the transport repeat a request when an idle connection turns out to
// be dead. Every request of the protocol may be repeated. (net/http: an empty
// Idempotency-Key is not sent.)
func again(req *http.Request) { req.Header["Idempotency-Key"] = nil }

// drain reads what little is left, so that the connection can be used again.
func drain(b io.ReadCloser) {
	io.Copy(io.Discard, io.LimitReader(b, 64<<10)) // a cut here shows on the next request
	b.Close()
}

// problem turns an answer that is not a success into a *wire.Problem. What is
// not RFC 9457 (a proxy's page, the tus handler's own words) keeps its status.
func problem(resp *http.Response) error {
	body, err := io.ReadAll(io.LimitReader(resp.Body, wire.MaxMessage))
	if err != nil {
		return err
	}
	if t, _, err := mime.ParseMediaType(resp.Header.Get("Content-Type")); err == nil && t == wire.TypeProblem {
		p, err := wire.ParseProblem(body)
		if err != nil {
			return err
		}
		p.Status = resp.StatusCode
		return p
	}
	p := &wire.Problem{Code: wire.Code(fmt.Sprintf("http-%d", resp.StatusCode)), Status: resp.StatusCode, Detail: http.StatusText(resp.StatusCode)}
	switch word, _, _ := strings.Cut(string(body), ":"); word {
	case "ERR_MISMATCHED_OFFSET", "ERR_READ_TIMEOUT", "ERR_CONNECTION_RESET": // the last two: an older request for the same upload arrived late
		p.Code, p.Detail = wire.CodeOffset, ""
	case "ERR_UPLOAD_LOCKED", "ERR_LOCK_TIMEOUT", "ERR_SERVER_SHUTDOWN":
		p.Code, p.Detail = wire.CodeBusy, ""
	}
	return p
}

// url returns the address of a route.
func (l *link) url(route string) string {
	u := *l.hub
	u.Path = route
	return u.String()
}
