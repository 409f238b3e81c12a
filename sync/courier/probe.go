package courier

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"time"

	"tambo/store/seal"
	"tambo/sync/wire"
)

// Steps of a probe, in their order.
const (
	StepName  = "name"  // the hub's name becomes an address
	StepTCP   = "tcp"   // a connection
	StepTLS   = "tls"   // whoever answers is the pinned hub
	StepDates = "dates" // its certificate is valid at this kiosk's time
	StepHTTP  = "http"  // it accepts this kiosk, and answers
)

// Probed is a step of a probe.
type Probed struct {
	Step string
	Took time.Duration
	Err  error
	// Cause is what is in the way, empty if nothing is. At StepDates it is
	// CauseClock, and NotBefore and NotAfter say which end was missed.
	Cause               Cause
	NotBefore, NotAfter time.Time
	// Status is the HTTP status; HubTime what the hub signed, zero if it did
	// not, and Skew how far this kiosk's clock was ahead of it.
	Status  int
	HubTime time.Time
	Skew    time.Duration
}

// probeTime bounds one step.
const probeTime = 6 * time.Second

// Probe makes the way to the hub step by step and stops at the first that
// fails; it carries nothing and keeps nothing. It returns the hub's host and
// port, and store.ErrNoIdentity for a kiosk that has no hub.
func (c *Courier) Probe(ctx context.Context) (hub string, steps []Probed, err error) {
	id, err := c.c.Vault.Identity()
	if err != nil {
		return "", nil, err
	}
	u, err := checkURL(id.Hub)
	if err != nil {
		return "", nil, inVault(err)
	}
	t, err := mutual(id, c.c.Now)
	if err != nil {
		return u.Host, nil, inVault(err)
	}
	port := u.Port()
	if port == "" {
		port = "443"
	}
	p := &probe{c: c, id: id, tls: t, host: u.Hostname(), port: port}
	for _, s := range []struct {
		name string
		do   func(context.Context, *Probed) error
	}{{StepName, p.name}, {StepTCP, p.tcp}, {StepTLS, p.handshake}, {StepDates, p.dates}, {StepHTTP, p.ask}} {
		sctx, stop := context.WithTimeout(ctx, min(probeTime, c.c.Stall))
		began := time.Now()
		out := Probed{Step: s.name}
		out.Err = s.do(sctx, &out)
		out.Took = time.Since(began)
		stop()
		if out.Err != nil && out.Cause == "" {
			out.Cause = causeOf(out.Err)
		}
		steps = append(steps, out)
		if out.Err != nil {
			break
		}
	}
	if p.conn != nil {
		p.conn.Close()
	}
	return u.Host, steps, nil
}

type probe struct {
	c          *Courier
	id         Identity
	tls        *tls.Config
	host, port string
	addresses  []string
	conn       net.Conn
	invalid    *x509.CertificateInvalidError
}

func (p *probe) name(ctx context.Context, _ *Probed) (err error) {
	p.addresses, err = net.DefaultResolver.LookupHost(ctx, p.host)
	return err
}

func (p *probe) tcp(ctx context.Context, _ *Probed) (err error) {
	for _, a := range p.addresses {
		var d net.Dialer
		if p.conn, err = d.DialContext(ctx, "tcp", net.JoinHostPort(a, p.port)); err == nil {
			return nil
		}
	}
	return err
}

// handshake fails if whoever answers is not the hub. That its certificate is not
// valid now is for the next step to say, and only where it is the hub's: what an
// impostor shows may be out of date as well.
func (p *probe) handshake(ctx context.Context, out *Probed) error {
	conn := tls.Client(p.conn, p.tls)
	err := conn.HandshakeContext(ctx)
	var invalid x509.CertificateInvalidError
	if err == nil || !errors.As(err, &invalid) || invalid.Reason != x509.Expired {
		return err
	}
	if ca, bad := x509.ParseCertificate(p.id.CA); bad != nil {
		return inVault(bad)
	} else if !ca.Equal(invalid.Cert) {
		both := ca.NotBefore // a time when the authority and the certificate were both valid
		if invalid.Cert.NotBefore.After(both) {
			both = invalid.Cert.NotBefore
		}
		if _, other := invalid.Cert.Verify(x509.VerifyOptions{Roots: p.tls.RootCAs, DNSName: wire.ServerName, CurrentTime: both.Add(time.Second)}); other != nil {
			out.Cause = CauseImpostor // whatever other says: they were never valid together
			return other
		}
	}
	p.invalid = &invalid
	return nil
}

func (p *probe) dates(_ context.Context, out *Probed) error {
	if p.invalid == nil {
		return nil
	}
	out.NotBefore, out.NotAfter = p.invalid.Cert.NotBefore, p.invalid.Cert.NotAfter
	out.Cause = CauseClock
	return p.invalid
}

// ask asks for what the hub has, and takes nothing of it but the time.
func (p *probe) ask(ctx context.Context, out *Probed) error {
	have, err := p.c.c.Vault.Have()
	if err != nil {
		return inVault(err)
	}
	_, pub, err := wire.ParseVerifierKey(p.id.HubKey)
	if err != nil {
		return inVault(err)
	}
	u, err := checkURL(p.id.Hub)
	if err != nil {
		return inVault(err)
	}
	h := client(p.tls, probeTime)
	defer h.CloseIdleConnections()
	var a wire.DownAnswer
	l := link{h, u}
	if err := l.call(ctx, http.MethodGet, wire.RouteDown, query(have), "", nil, &a); err != nil {
		var problem *wire.Problem
		if errors.As(err, &problem) {
			out.Status = problem.Status
		}
		return err
	}
	out.Status = http.StatusOK
	for _, d := range a.Documents {
		if d.Kind != seal.KindTime {
			continue
		}
		inside, _, err := seal.OpenDocument(d.Data, pub)
		if err != nil || inside.Kind != seal.KindTime {
			return errors.Join(ErrAnswer, err)
		}
		out.HubTime = inside.Issued
		out.Skew = p.c.c.Now().Sub(inside.Issued).Round(time.Second)
	}
	return nil
}
