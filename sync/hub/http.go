package hub

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"time"

	"tambo/sync/wire"
)

// seenEvery is how often a kiosk's last contact is written down.
const seenEvery = time.Minute

// Handler serves the protocol. It needs the connection's TLS state: serve it
// with [Hub.Server].
func (h *Hub) Handler() (http.Handler, error) {
	uploads, err := h.uploads()
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+wire.RouteProvision, h.serveProvision)
	mux.Handle("POST "+wire.RouteRenew, h.kiosk(h.serveRenew))
	mux.Handle("POST "+wire.RoutePackages, h.kiosk(h.servePackages))
	mux.Handle("GET "+wire.RouteDown, h.kiosk(h.serveDown))
	mux.Handle("POST "+wire.RouteAlerts, h.kiosk(h.serveAlerts))
	mux.Handle("GET "+wire.RouteProof, h.kiosk(h.serveProof))
	mux.Handle(wire.RouteUploads, h.kiosk(func(w http.ResponseWriter, r *http.Request, _ *Kiosk) error {
		uploads.ServeHTTP(w, r)
		return nil
	}))
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		writeProblem(w, wire.NewProblem(wire.CodeRoute, "%s %s", r.Method, r.URL.Path))
	})
	return mux, nil
}

// Server returns an HTTPS server for the hub; serve it with ServeTLS and empty
// file names. It speaks HTTP/1.1: an upload's connection is its own, and ends
// when it is cut.
func (h *Hub) Server() (*http.Server, error) {
	handler, err := h.Handler()
	if err != nil {
		return nil, err
	}
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	return &http.Server{
		Handler: handler, TLSConfig: h.TLS(), ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute,
		MaxHeaderBytes: 32 << 10, Protocols: protocols, ErrorLog: nil,
	}, nil
}

// kiosk serves a route to kiosks with a valid certificate only.
func (h *Hub) kiosk(serve func(http.ResponseWriter, *http.Request, *Kiosk) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		k, err := h.authenticate(r)
		if err == nil {
			r = r.WithContext(context.WithValue(r.Context(), kioskKey{}, k))
			err = serve(w, r, k)
		}
		if err != nil {
			h.fail(w, r, err)
		}
	})
}

// authenticate returns the kiosk of a verified client certificate that is one
// of those the kiosk was last given.
func (h *Hub) authenticate(r *http.Request) (*Kiosk, error) {
	if r.TLS == nil || len(r.TLS.VerifiedChains) == 0 {
		return nil, wire.NewProblem(wire.CodeCertificate, "")
	}
	cert := r.TLS.PeerCertificates[0]
	id, ok := kioskOf(cert)
	if !ok {
		return nil, wire.NewProblem(wire.CodeCertificate, "the certificate names no kiosk")
	}
	var k *Kiosk
	err := h.store.View(r.Context(), func(tx Tx) (err error) {
		k, err = maybe[Kiosk](tx, TableKiosks, string(id))
		return err
	})
	switch {
	case err != nil:
		return nil, err
	case k == nil:
		return nil, wire.NewProblem(wire.CodeCertificate, "kiosk %s is not known here", id)
	case k.Revoked:
		return nil, wire.NewProblem(wire.CodeRevoked, "kiosk %s", id)
	case !slices.Contains(k.Certificates, fingerprint(cert.Raw)):
		return nil, wire.NewProblem(wire.CodeRevoked, "this certificate of kiosk %s was replaced", id)
	}
	if h.now().Sub(k.Seen) > seenEvery {
		return k, h.saw(r.Context(), k)
	}
	return k, nil
}

func (h *Hub) saw(ctx context.Context, k *Kiosk) error {
	return h.store.Update(ctx, func(tx Tx) error {
		row, err := get[Kiosk](tx, TableKiosks, string(k.ID))
		if err != nil {
			return err
		}
		row.Seen = h.now().UTC()
		return put(tx, TableKiosks, string(k.ID), row)
	})
}

func (h *Hub) serveProvision(w http.ResponseWriter, r *http.Request) {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	if h.limit.refused(host, h.now()) {
		h.fail(w, r, wire.NewProblem(wire.CodeRate, ""))
		return
	}
	q := new(wire.ProvisionRequest)
	if err := wire.Decode(r.Body, wire.MaxMessage, q); err != nil {
		h.limit.failed(host)
		h.fail(w, r, err)
		return
	}
	a, err := h.provision(r.Context(), q)
	if err != nil {
		h.limit.failed(host)
		h.fail(w, r, err)
		return
	}
	h.log.Info("kiosk provisioned", "kiosk", a.Kiosk)
	writeJSON(w, a)
}

func (h *Hub) serveRenew(w http.ResponseWriter, r *http.Request, k *Kiosk) error {
	q := new(wire.RenewRequest)
	if err := wire.Decode(r.Body, wire.MaxMessage, q); err != nil {
		return err
	}
	a, err := h.renew(r.Context(), k, q)
	if err != nil {
		return err
	}
	writeJSON(w, a)
	return nil
}

func (h *Hub) servePackages(w http.ResponseWriter, r *http.Request, k *Kiosk) error {
	signed, err := io.ReadAll(io.LimitReader(r.Body, wire.MaxManifest+1))
	if err != nil {
		return errors.Join(wire.ErrMessage, err)
	}
	if len(signed) > wire.MaxManifest {
		return wire.NewProblem(wire.CodeTooLarge, "manifest")
	}
	a, err := h.submit(r.Context(), k, signed)
	if err != nil {
		return err
	}
	writeJSON(w, a)
	return nil
}

func (h *Hub) serveDown(w http.ResponseWriter, r *http.Request, k *Kiosk) error {
	query := r.URL.Query()["have"]
	if len(query) > wire.MaxHave {
		return wire.NewProblem(wire.CodeTooLarge, "at most %d documents", wire.MaxHave)
	}
	var have []wire.Have
	for _, s := range query {
		x, err := wire.ParseHave(s)
		if err != nil {
			return err
		}
		have = append(have, x)
	}
	a, err := h.down(r.Context(), k, have)
	if err != nil {
		return err
	}
	writeJSON(w, a)
	return nil
}

func (h *Hub) serveAlerts(w http.ResponseWriter, r *http.Request, k *Kiosk) error {
	q := new(wire.AlertWord)
	if err := wire.Decode(r.Body, wire.MaxMessage, q); err != nil {
		return err
	}
	if err := h.word(r.Context(), k, q); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (h *Hub) serveProof(w http.ResponseWriter, r *http.Request, k *Kiosk) error {
	index, err := strconv.ParseInt(r.URL.Query().Get("index"), 10, 64)
	if err != nil {
		return wire.NewProblem(wire.CodeMessage, "index")
	}
	var a *wire.ProofAnswer
	if err := h.store.View(r.Context(), func(tx Tx) (err error) {
		a, err = h.proof(tx, k.ID, index)
		return err
	}); err != nil {
		return err
	}
	writeJSON(w, a)
	return nil
}

// problemOf turns any error into what a kiosk is told. What is ours alone stays
// in the log.
func problemOf(err error) *wire.Problem {
	var p *wire.Problem
	switch {
	case errors.As(err, &p):
		return p
	case errors.Is(err, wire.ErrMessage):
		return wire.NewProblem(wire.CodeMessage, "%v", err)
	case errors.Is(err, ErrFull):
		return wire.NewProblem(wire.CodeFull, "what was acknowledged is kept; tell the hub's keeper")
	case errors.Is(err, ErrDigest):
		return wire.NewProblem(wire.CodeDigest, "the upload begins again")
	case errors.Is(err, ErrOffset):
		return wire.NewProblem(wire.CodeOffset, "ask for the offset again")
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return wire.NewProblem(wire.CodeBusy, "")
	}
	return wire.NewProblem(wire.CodeInternal, "")
}

func (h *Hub) fail(w http.ResponseWriter, r *http.Request, err error) {
	p := problemOf(err)
	if r.Context().Err() != nil {
		w.Header().Set("Connection", "close") // its context has ended for good
	}
	if p.Code == wire.CodeInternal {
		h.log.Error("request failed", "method", r.Method, "route", r.URL.Path, "error", err)
	} else {
		h.log.Info("request refused", "method", r.Method, "route", r.URL.Path, "problem", p.Code)
	}
	writeProblem(w, p)
}

func writeProblem(w http.ResponseWriter, p *wire.Problem) {
	w.Header().Set("Content-Type", wire.TypeProblem)
	w.WriteHeader(p.Status)
	json.NewEncoder(w).Encode(p) // the peer may be gone; there is nobody to tell
}

func writeJSON(w http.ResponseWriter, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		writeProblem(w, wire.NewProblem(wire.CodeInternal, ""))
		return
	}
	w.Header().Set("Content-Type", wire.TypeJSON)
	w.Header().Set("Content-Length", strconv.Itoa(len(b)))
	w.Write(b) // as above
}
