package hub

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"sync"
	"time"

	"tambo/kiosk"
	"tambo/sync/wire"
)

// codeLife is how long a provisioning code may be used, and its answer had
// again.
const codeLife = 24 * time.Hour

// maxCertificates is how many certificates of one kiosk are valid at once: the
// one in use, and one renewed whose answer was lost.
const maxCertificates = 4

func publicKey(k *Keys) ed25519.PublicKey { return k.Signing.Public().(ed25519.PublicKey) }

func fingerprint(der []byte) string {
	sum := sha256.Sum256(der)
	return hex.EncodeToString(sum[:])
}

// addKiosk makes a provisioning code for a kiosk. For a kiosk that is known the
// code replaces its keys and certificates when it is used.
func (h *Hub) addKiosk(ctx context.Context, id kiosk.KioskID, site string) (string, error) {
	if err := id.Validate(); err != nil {
		return "", err
	}
	if !wire.IsSite(site) {
		return "", errors.Join(ErrArgument, errors.New("site: want 1 to 100 printable bytes"))
	}
	code := wire.NewCode(h.keys.CA.Raw)
	hash := code.Hash()
	err := h.store.Update(ctx, func(tx Tx) error {
		m, err := meta(tx)
		if err != nil {
			return err
		}
		if m.Agreement == "" {
			return errors.Join(ErrArgument, errors.New("no agreement is in force: tambo-hub agreement put FILE"))
		}
		return put(tx, TableCodes, hex.EncodeToString(hash[:]), codeRow{Kiosk: id, Site: site, Expires: h.now().Add(codeLife)})
	})
	return code.String(), err
}

// provision answers a [wire.ProvisionRequest]: once per code, and the same
// answer to the same request for as long as the code lives.
func (h *Hub) provision(ctx context.Context, r *wire.ProvisionRequest) (*wire.ProvisionAnswer, error) {
	code, err := wire.ParseCode(r.Code)
	if err != nil {
		return nil, wire.NewProblem(wire.CodeUnknownCode, "%v", err)
	}
	if !ed25519.Verify(r.SigningKey, wire.ProvisionProof(r.Request, r.SigningKey, r.ReceiveKey), r.Proof) {
		return nil, wire.NewProblem(wire.CodeSignature, "the signing key's proof does not verify")
	}
	hash := code.Hash()
	key := hex.EncodeToString(hash[:])
	sum := sha256.Sum256(wire.ProvisionProof(r.Request, r.SigningKey, r.ReceiveKey))
	request := hex.EncodeToString(sum[:])
	answer := new(wire.ProvisionAnswer)
	return answer, h.store.Update(ctx, func(tx Tx) error {
		c, err := maybe[codeRow](tx, TableCodes, key)
		if err != nil {
			return err
		}
		if c == nil || !h.now().Before(c.Expires) || c.Used != "" && c.Used != request {
			return wire.NewProblem(wire.CodeUnknownCode, "ask the hub's keeper for a new one")
		}
		if c.Used == request {
			return json.Unmarshal(c.Answer, answer)
		}
		if *answer, err = h.enrol(tx, c, r); err != nil {
			return err
		}
		c.Used = request
		if c.Answer, err = json.Marshal(answer); err != nil {
			return err
		}
		return put(tx, TableCodes, key, c)
	})
}

// enrol makes the kiosk's row and certificate.
func (h *Hub) enrol(tx Tx, c *codeRow, r *wire.ProvisionRequest) (a wire.ProvisionAnswer, err error) {
	m, err := meta(tx)
	if err != nil {
		return a, err
	}
	cert, err := h.issue(c.Kiosk, r.Request)
	if err != nil {
		return a, err
	}
	agreement, err := tx.Get(TableAgreements, m.Agreement)
	if err != nil {
		return a, err
	}
	now, err := h.signTime()
	if err != nil {
		return a, err
	}
	row, err := maybe[Kiosk](tx, TableKiosks, string(c.Kiosk))
	if err != nil {
		return a, err
	}
	if row == nil {
		row = &Kiosk{ID: c.Kiosk, Added: h.now().UTC()}
	}
	row.Site, row.Revoked, row.ReceiveKey = c.Site, false, r.ReceiveKey
	row.Keys, row.Certificates = [][]byte{r.SigningKey}, []string{fingerprint(cert)}
	if err := put(tx, TableKiosks, string(c.Kiosk), row); err != nil {
		return a, err
	}
	return wire.ProvisionAnswer{
		Kiosk: c.Kiosk, Site: c.Site, Training: m.Training, Certificate: cert, CA: h.keys.CA.Raw, HubKey: h.keys.VerifierKey(),
		Agreement: bytes.Clone(agreement), Roster: m.Roster, Time: now,
	}, nil
}

// renew gives a kiosk a new certificate beside those it has.
func (h *Hub) renew(ctx context.Context, k *Kiosk, r *wire.RenewRequest) (*wire.RenewAnswer, error) {
	cert, err := h.issue(k.ID, r.Request)
	if err != nil {
		return nil, err
	}
	err = h.store.Update(ctx, func(tx Tx) error {
		row, err := get[Kiosk](tx, TableKiosks, string(k.ID))
		if err != nil {
			return err
		}
		row.Certificates = append(row.Certificates, fingerprint(cert))
		if n := len(row.Certificates); n > maxCertificates {
			row.Certificates = row.Certificates[n-maxCertificates:]
		}
		return put(tx, TableKiosks, string(k.ID), row)
	})
	return &wire.RenewAnswer{Certificate: cert}, err
}

// limiter bounds failed attempts at provisioning, by address and in all, in
// memory. 80 random bits need no more.
type limiter struct {
	mu    sync.Mutex
	since time.Time
	count map[string]int
	all   int
}

// Attempts that may fail in one minute.
const (
	failuresPerHost = 10
	failuresInAll   = 100
)

func (l *limiter) refused(host string, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.count == nil || now.Sub(l.since) > time.Minute || now.Before(l.since) {
		l.since, l.count, l.all = now, map[string]int{}, 0
	}
	return l.all >= failuresInAll || l.count[host] >= failuresPerHost
}

func (l *limiter) failed(host string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all++
	l.count[host]++
}
