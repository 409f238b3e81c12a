package courier

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"strings"
	"syscall"

	"tambo/sync/wire"
)

// Errors of the courier that are not of one round.
var (
	// ErrDamaged: a sealed part in the outbox is not what its manifest says.
	ErrDamaged = errors.New("a sealed part is damaged at this kiosk")
	// ErrAnswer: the hub's answer is not as the protocol defines it.
	ErrAnswer = errors.New("the hub's answer cannot be used")
)

// Cause names what is in the way.
type Cause string

// Causes. The first ones are of the road: nothing can be carried until they go
// away. The rest are of one package or document.
const (
	CauseName        Cause = "name"        // the hub's name does not resolve
	CauseNetwork     Cause = "network"     // no way to the hub's address
	CauseRefused     Cause = "refused"     // the address answers, no hub listens there
	CauseTimeout     Cause = "timeout"     // nothing came back in time
	CauseCut         Cause = "cut"         // the connection was cut
	CauseClock       Cause = "clock"       // a certificate is not valid at this clock's time
	CauseImpostor    Cause = "impostor"    // whoever answers is not the pinned hub
	CauseCertificate Cause = "certificate" // the hub does not accept this kiosk's certificate
	CauseHub         Cause = "hub"         // the hub answered with a problem of its own

	CausePackage Cause = "package" // the hub answered with a problem about one package
	CauseReceipt Cause = "receipt" // a receipt does not verify
	CauseAnswer  Cause = "answer"  // an answer or document is malformed
	CauseVault   Cause = "vault"   // the vault cannot give or keep something
)

// sentences say the cause to a person; %s is the hub's address.
var sentences = map[Cause]string{
	CauseName:        "hub is not reachable: the name of %s is not known here; check the cable, the modem and the name",
	CauseNetwork:     "hub is not reachable: there is no way to %s; check the cable and the modem",
	CauseRefused:     "hub is not reachable: nothing listens at %s; it may be restarting, or the address is wrong",
	CauseTimeout:     "hub is not reachable: nothing came back from %s in time; the line is dead or very slow",
	CauseCut:         "the connection to %s was cut; it continues where it stopped",
	CauseClock:       "the certificate of %s is not valid at this kiosk's time; check the clock",
	CauseImpostor:    "whoever answers at %s is not this kiosk's hub; nothing was sent; tell the hub's keeper",
	CauseCertificate: "the hub at %s does not accept this kiosk's certificate; it may be revoked or expired; ask the hub's keeper",
	CauseHub:         "the hub at %s cannot take records now",
	CausePackage:     "the hub at %s cannot take a record",
	CauseReceipt:     "a receipt from %s does not verify; the record is kept; tell the hub's keeper",
	CauseAnswer:      "an answer from %s cannot be understood; hub and kiosk may be of different versions",
	CauseVault:       "the vault is in the way of delivery to %s; see diagnostics",
}

// Error says what stopped a round or a package, in a sentence for a person.
// Nothing is lost by any of them.
type Error struct {
	Cause   Cause
	Hub     string // host and port
	Waiting int    // records that wait
	Err     error  // the cause in detail
}

// Error is the sentence, what waits, and the detail in brackets.
func (e *Error) Error() string {
	s := fmt.Sprintf(sentences[e.Cause], e.Hub)
	var p *wire.Problem
	if errors.As(e.Err, &p) {
		s += ": " + p.Error()
	}
	switch {
	case e.Waiting == 1:
		s += "; 1 record waits; it is kept"
	case e.Waiting > 1:
		s += fmt.Sprintf("; %d records wait; they are kept", e.Waiting)
	}
	if p == nil && e.Err != nil {
		s += " (" + e.Err.Error() + ")"
	}
	return s
}

// Unwrap returns the detail.
func (e *Error) Unwrap() error { return e.Err }

// Road reports whether the cause is in the way of everything, so that it is best
// to wait.
func (e *Error) Road() bool {
	switch e.Cause {
	case CausePackage, CauseReceipt, CauseAnswer, CauseVault:
		return false
	}
	return true
}

// vaultError marks an error of the vault on its way up.
type vaultError struct{ err error }

func (e vaultError) Error() string { return e.err.Error() }
func (e vaultError) Unwrap() error { return e.err }

func inVault(err error) error {
	if err == nil {
		return nil
	}
	return vaultError{err}
}

// causeOf finds the cause of an error of a request.
func causeOf(err error) Cause {
	var p *wire.Problem
	var v vaultError
	var invalid x509.CertificateInvalidError
	var unknown x509.UnknownAuthorityError
	var host x509.HostnameError
	var verify *tls.CertificateVerificationError
	var alert tls.AlertError
	var dns *net.DNSError
	var n net.Error
	switch {
	case errors.As(err, &v), errors.Is(err, ErrDamaged):
		return CauseVault
	case errors.Is(err, wire.ErrReceipt):
		return CauseReceipt
	case errors.As(err, &p):
		return causeOfProblem(p)
	case errors.Is(err, ErrAnswer), errors.Is(err, wire.ErrMessage):
		return CauseAnswer
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return CauseClock
	case errors.Is(err, errFingerprint), errors.As(err, &unknown), errors.As(err, &host), errors.As(err, &invalid), errors.As(err, &verify):
		return CauseImpostor
	case errors.As(err, &alert), strings.Contains(err.Error(), "remote error: tls:"):
		return CauseCertificate
	case errors.As(err, &dns):
		return CauseName
	case errors.Is(err, syscall.ECONNREFUSED):
		return CauseRefused
	case errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETDOWN):
		return CauseNetwork
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &n) && n.Timeout():
		return CauseTimeout
	}
	return CauseCut
}

func causeOfProblem(p *wire.Problem) Cause {
	switch p.Code {
	case wire.CodeCertificate, wire.CodeRevoked:
		return CauseCertificate
	case wire.CodeFull, wire.CodeBusy, wire.CodeRate, wire.CodeInternal, wire.CodeUnknownCode:
		return CauseHub
	}
	if p.Status >= 500 {
		return CauseHub
	}
	return CausePackage
}
