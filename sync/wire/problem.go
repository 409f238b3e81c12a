package wire

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// ErrMessage marks a message that is not as this package defines it. The peer
// is broken, of another version, or hostile; sending again does not help.
var ErrMessage = errors.New("malformed message")

// Code names a problem. The list is append-only.
type Code string

// Problem codes.
const (
	CodeMessage     Code = "malformed-message"
	CodeTooLarge    Code = "too-large"
	CodeUnknownCode Code = "unknown-code"       // provisioning code unknown, used or expired
	CodeRate        Code = "too-many-attempts"  // wait, then try again
	CodeCertificate Code = "certificate-needed" // no valid client certificate
	CodeRevoked     Code = "kiosk-revoked"
	CodeNotYours    Code = "not-yours" // the named thing is another kiosk's, or is not there
	CodeSignature   Code = "signature" // does not verify under the kiosk's registered key
	CodeUnlisted    Code = "part-not-listed"
	CodeDigest      Code = "part-digest" // the uploaded bytes are not the part; the upload begins again
	CodeOffset      Code = "offset"      // the upload stands elsewhere: ask where
	CodeFull        Code = "storage-full"
	CodeBusy        Code = "busy"
	CodeRoute       Code = "no-such-route"
	CodeInternal    Code = "internal"
)

// titles and statuses of the codes. Retry says whether the same request may
// succeed later without anybody's help.
var codes = map[Code]struct {
	title  string
	status int
	retry  bool
}{
	CodeMessage:     {"the message is not as the protocol defines it", 400, false},
	CodeTooLarge:    {"the message or part is larger than the hub takes", 413, false},
	CodeUnknownCode: {"the provisioning code is unknown, used or expired", 403, false},
	CodeRate:        {"too many attempts; wait a minute", 429, true},
	CodeCertificate: {"the hub needs this kiosk's certificate", 401, false},
	CodeRevoked:     {"the hub has revoked this kiosk", 403, false},
	CodeNotYours:    {"the hub holds no such thing for this kiosk", 404, false},
	CodeSignature:   {"the signature is not by this kiosk's registered key", 422, false},
	CodeUnlisted:    {"no manifest of this kiosk lists that part", 403, false},
	CodeDigest:      {"the uploaded bytes are not the part that the manifest lists", 422, true},
	CodeOffset:      {"the upload stands at another offset", 409, true},
	CodeFull:        {"the hub has no space left", 507, true},
	CodeBusy:        {"the hub is busy", 503, true},
	CodeRoute:       {"the hub knows no such route", 404, false},
	CodeInternal:    {"the hub failed; its log says why", 500, true},
}

// Problem is what a hub answers when it cannot do what was asked: a code that a
// program decides by, and a sentence for a person (RFC 9457; the type is
// "tambo:" + code). It never holds personal data.
type Problem struct {
	Code   Code
	Status int    // HTTP status
	Detail string // what exactly, in one sentence; may be empty
}

// NewProblem returns a problem of a code with its usual status.
func NewProblem(c Code, format string, args ...any) *Problem {
	status := 500
	if k, ok := codes[c]; ok {
		status = k.status
	}
	return &Problem{Code: c, Status: status, Detail: fmt.Sprintf(format, args...)}
}

// Error says it in one sentence.
func (p *Problem) Error() string {
	title := codes[p.Code].title
	if title == "" {
		title = string(p.Code)
	}
	if p.Detail == "" {
		return title
	}
	return title + ": " + p.Detail
}

// Is reports whether target is a *Problem of the same code.
func (p *Problem) Is(target error) bool {
	var q *Problem
	return errors.As(target, &q) && q.Code == p.Code
}

// Retry reports whether the same request may succeed later by itself.
func (p *Problem) Retry() bool {
	if k, ok := codes[p.Code]; ok {
		return k.retry
	}
	return p.Status >= 500
}

type problemJSON struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail,omitempty"`
}

// MarshalJSON writes the RFC 9457 object.
func (p *Problem) MarshalJSON() ([]byte, error) {
	return json.Marshal(problemJSON{"tambo:" + string(p.Code), codes[p.Code].title, p.Status, p.Detail})
}

// UnmarshalJSON reads it. RFC 9457 section 3.2 asks clients to ignore members
// they do not know, and so this reader does.
func (p *Problem) UnmarshalJSON(b []byte) error {
	var j problemJSON
	if err := json.Unmarshal(b, &j); err != nil {
		return fmt.Errorf("problem: %w: %w", ErrMessage, err)
	}
	code, ok := strings.CutPrefix(j.Type, "tambo:")
	if !ok || code == "" || len(code) > maxNameBytes || len(j.Detail) > 2000 {
		return fmt.Errorf("problem: %w", ErrMessage)
	}
	p.Code, p.Status, p.Detail = Code(code), j.Status, printable(j.Detail)
	return nil
}

// ParseProblem reads a problem from an answer's body (at most [MaxMessage]).
func ParseProblem(body []byte) (*Problem, error) {
	if len(body) > MaxMessage {
		return nil, fmt.Errorf("problem: %w: %d bytes", ErrMessage, len(body))
	}
	p := new(Problem)
	if err := json.Unmarshal(body, p); err != nil {
		return nil, fmt.Errorf("problem: %w: %w", ErrMessage, err)
	}
	return p, nil
}

// printable replaces control characters, so that a peer's sentence can stand in
// a log or on a screen.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, s)
}
