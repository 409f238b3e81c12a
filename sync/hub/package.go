package hub

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"time"

	"tambo/kiosk"
	"tambo/kiosk/policy"
	"tambo/store/seal"
	"tambo/sync/wire"
)

// termSlack is how far outside its agreement's term a package may have been
// sealed before the keeper is told. The kiosk's clock may be only declared, and
// what was begun in time may be sealed later: nothing is refused for it.
const termSlack = 24 * time.Hour

// submit takes a signed manifest and says where the package stands. It may be
// called any number of times with the same manifest, and has one effect.
func (h *Hub) submit(ctx context.Context, k *Kiosk, signed []byte) (*wire.PackageAnswer, error) {
	if err := h.register(ctx, k, signed); err != nil {
		return nil, err
	}
	p, missing, err := h.advance(ctx, seal.Digest(signed))
	if err != nil {
		return nil, err
	}
	return &wire.PackageAnswer{State: p.State, Missing: missing, Receipts: p.Receipts}, nil
}

// register verifies a manifest and makes its package known, or refuses it with
// a receipt that says why.
func (h *Hub) register(ctx context.Context, k *Kiosk, signed []byte) error {
	m, key, err := verifyManifest(k, signed)
	if err != nil {
		return err
	}
	p := &Package{Digest: seal.Digest(signed), Signed: signed, Manifest: *m, State: wire.PackageWaiting, Key: key, Received: h.now().UTC()}
	known := false
	err = h.store.View(ctx, func(tx Tx) error {
		old, err := maybe[Package](tx, TablePackages, p.Digest)
		known = old != nil
		return err
	})
	if err != nil || known {
		return err
	}
	return h.store.Update(ctx, func(tx Tx) error {
		if old, err := maybe[Package](tx, TablePackages, p.Digest); err != nil || old != nil {
			return err
		}
		hub, err := meta(tx)
		if err != nil {
			return err
		}
		reason, remark, err := h.judge(tx, hub, p)
		if err != nil {
			return err
		}
		p.Remarks = nil
		if remark != "" {
			p.Remarks = []string{remark}
		}
		if reason != "" {
			return h.refuse(tx, hub, p, reason)
		}
		for _, part := range m.Parts {
			row := partRow{Package: p.Digest, Digest: part.Digest, Size: part.Size}
			if err := put(tx, TableParts, wire.UploadID(m.Kiosk, part.Digest), row); err != nil {
				return err
			}
		}
		return put(tx, TablePackages, p.Digest, p)
	})
}

// verifyManifest opens a manifest with one of the kiosk's registered keys.
func verifyManifest(k *Kiosk, signed []byte) (*kiosk.Manifest, []byte, error) {
	var last error = seal.ErrSignature
	for _, key := range k.Keys {
		m, _, err := seal.OpenManifest(signed, ed25519.PublicKey(key))
		if err != nil {
			last = err
			continue
		}
		if m.Kiosk != k.ID {
			return nil, nil, wire.NewProblem(wire.CodeSignature, "the manifest names kiosk %q", m.Kiosk)
		}
		if err := wire.CheckManifest(&m); err != nil {
			return nil, nil, err
		}
		return &m, key, nil
	}
	if errors.Is(last, seal.ErrSignature) {
		return nil, nil, wire.NewProblem(wire.CodeSignature, "manifest")
	}
	return nil, nil, wire.NewProblem(wire.CodeMessage, "manifest: %v", last)
}

// judge says why a package is refused, or what the keeper should know of it.
// A refusal is for good: the kiosk keeps the record and shows the reason.
func (h *Hub) judge(tx Tx, hub *metaHub, p *Package) (refusal, remark string, err error) {
	m := &p.Manifest
	switch {
	case m.Training && !hub.Training:
		return "a training package, and this is not a training hub", "", nil
	case !m.Training && hub.Training:
		return "this is a training hub, and the package is not a training package", "", nil
	}
	a, err := agreement(tx, h.keys, m.Agreement)
	if errors.Is(err, ErrNotFound) {
		return "this hub did not sign the agreement that the package was made under", "", nil
	}
	if err != nil {
		return "", "", err
	}
	if a.Training != m.Training {
		return "the package and its agreement differ about training", "", nil
	}
	for _, part := range m.Parts {
		r := policy.Recipient(a, part.Kind.Recipient())
		if r == nil || r.KeyID != part.KeyID {
			return fmt.Sprintf("part %s is sealed to key %s, which is not the agreement's %s", part.Name, part.KeyID, part.Kind.Recipient()), "", nil
		}
		row, err := maybe[partRow](tx, TableParts, wire.UploadID(m.Kiosk, part.Digest))
		if err != nil {
			return "", "", err
		}
		if row != nil && row.Size != part.Size {
			return "part " + part.Name + " was listed before with another size", "", nil
		}
	}
	if other, err := rival(tx, p); err != nil || other != "" {
		return other, "", err
	}
	if m.Sealed.Before(a.NotBefore.Add(-termSlack)) || m.Sealed.After(a.Expires.Add(termSlack)) {
		remark = "sealed outside the agreement's term"
	}
	return "", remark, nil
}

// rival returns a reason when another package is this encounter's record.
// Notices and amendments are not records of their encounter.
func rival(tx Tx, p *Package) (string, error) {
	if !isRecord(p) {
		return "", nil
	}
	held, err := tx.Get(TableRecords, recordKey(p))
	if errors.Is(err, ErrNotFound) || err == nil && string(held) == p.Digest {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	return "the hub holds another package of this encounter", nil
}

func isRecord(p *Package) bool {
	return p.Manifest.Kind == kiosk.PackageEncounter || p.Manifest.Kind == kiosk.PackageAbandoned
}

func recordKey(p *Package) string {
	return string(p.Manifest.Kiosk) + "/" + string(p.Manifest.Encounter)
}

// refuse gives the refusal receipt.
func (h *Hub) refuse(tx Tx, hub *metaHub, p *Package, reason string) error {
	p.State, p.Receipts = wire.PackageRefused, nil
	if err := h.receipt(tx, hub, p, kiosk.ReceiptRefused, reason); err != nil {
		return err
	}
	if err := setMeta(tx, hub); err != nil {
		return err
	}
	h.log.Warn("package refused", "kiosk", p.Manifest.Kiosk, "manifest", p.Digest, "reason", reason)
	return put(tx, TablePackages, p.Digest, p)
}

// advance brings a package as far as the durable parts allow and returns it
// with what is missing.
func (h *Hub) advance(ctx context.Context, digest string) (*Package, []wire.Missing, error) {
	p, err := h.pack(ctx, digest)
	if err != nil {
		return nil, nil, err
	}
	if p.State == wire.PackageComplete || p.State == wire.PackageRefused {
		return p, nil, nil
	}
	missing, thin, err := h.missing(ctx, p)
	if err != nil {
		return nil, nil, err
	}
	if p.State == wire.PackageWaiting && thin {
		if p, err = h.commitThin(ctx, digest); err != nil {
			return nil, nil, err
		}
	}
	if p.State == wire.PackageThin && len(missing) == 0 {
		if p, err = h.commitComplete(ctx, digest); err != nil {
			return nil, nil, err
		}
	}
	if p.State == wire.PackageRefused {
		missing = nil
	}
	return p, missing, nil
}

func (h *Hub) pack(ctx context.Context, digest string) (p *Package, err error) {
	err = h.store.View(ctx, func(tx Tx) error {
		p, err = get[Package](tx, TablePackages, digest)
		return err
	})
	return p, err
}

// missing lists the parts that are not durable whole with their digest, and
// says whether all thin ones are.
func (h *Hub) missing(ctx context.Context, p *Package) (out []wire.Missing, thin bool, err error) {
	thin = true
	for _, part := range p.Manifest.Parts {
		id := wire.UploadID(p.Manifest.Kiosk, part.Digest)
		size, whole, err := h.store.Size(ctx, id)
		begun := err == nil
		if err != nil && !errors.Is(err, ErrNotFound) {
			return nil, false, err
		}
		if begun && !whole && size >= part.Size { // every byte came, and the hub died before it looked
			switch err := h.finish(ctx, id, part); {
			case err == nil:
				whole = true
			case errors.Is(err, ErrDigest):
				size, begun = 0, false
			default:
				return nil, false, err
			}
		}
		if !whole {
			out = append(out, wire.Missing{Part: part.Name, Upload: id, Offset: size, Begun: begun})
			thin = thin && !part.Kind.Thin()
		}
	}
	return out, thin, nil
}

// finish verifies a part of which every byte came.
func (h *Hub) finish(ctx context.Context, id string, part kiosk.Part) error {
	err := h.store.Commit(ctx, id, part.Digest)
	if errors.Is(err, ErrDigest) {
		h.log.Warn("part dropped: its bytes are not those listed", "upload", id)
	}
	return err
}

// commitThin is the first commit: thin record, match job and thin receipt in
// one transaction.
func (h *Hub) commitThin(ctx context.Context, digest string) (p *Package, err error) {
	err = h.store.Update(ctx, func(tx Tx) error {
		hub, err := meta(tx)
		if err != nil {
			return err
		}
		if p, err = get[Package](tx, TablePackages, digest); err != nil || p.State != wire.PackageWaiting {
			return err
		}
		if reason, err := rival(tx, p); err != nil {
			return err
		} else if reason != "" {
			return h.refuse(tx, hub, p, reason)
		}
		p.State, p.Thin = wire.PackageThin, h.now().UTC()
		if err := h.receipt(tx, hub, p, kiosk.ReceiptThin, ""); err != nil {
			return err
		}
		if isRecord(p) {
			if err := tx.Put(TableRecords, recordKey(p), []byte(digest)); err != nil {
				return err
			}
		}
		if err := addJob(tx, hub, p); err != nil {
			return err
		}
		if err := setMeta(tx, hub); err != nil {
			return err
		}
		return put(tx, TablePackages, digest, p)
	})
	if err == nil {
		h.wakeUp()
		h.log.Info("thin", "kiosk", p.Manifest.Kiosk, "manifest", digest, "hit", p.Manifest.Hit)
	}
	return p, err
}

// commitComplete is the second commit: record and complete receipt.
func (h *Hub) commitComplete(ctx context.Context, digest string) (p *Package, err error) {
	err = h.store.Update(ctx, func(tx Tx) error {
		hub, err := meta(tx)
		if err != nil {
			return err
		}
		if p, err = get[Package](tx, TablePackages, digest); err != nil || p.State != wire.PackageThin {
			return err
		}
		p.State, p.Completed = wire.PackageComplete, h.now().UTC()
		if err := h.receipt(tx, hub, p, kiosk.ReceiptComplete, ""); err != nil {
			return err
		}
		if err := setMeta(tx, hub); err != nil {
			return err
		}
		return put(tx, TablePackages, digest, p)
	})
	if err == nil {
		h.log.Info("complete", "kiosk", p.Manifest.Kiosk, "manifest", digest)
	}
	return p, err
}
