package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"

	bolt "go.etcd.io/bbolt"

	"tambo/kiosk"
	"tambo/kiosk/policy"
	"tambo/store/keyring"
	"tambo/store/seal"
)

// Part is the plain content of one part of a package, as kiosk/record writes it.
type Part struct {
	Name string // in the manifest, for everyone to read: "templates", "image-1"
	Kind kiosk.PartKind
	Body []byte
}

// Seal encrypts an encounter's parts to the recipients of the agreement that it
// was begun under, signs the manifest, and makes the package and its index card
// (if any) durable together; then the draft's key is erased and its file
// removed. A cut at any moment leaves either the draft or the package.
//
// From here on the kiosk cannot read what was sealed. Sealing an encounter that
// is sealed already returns the package that there is.
func (s *Subjects) Seal(ctx context.Context, e *kiosk.Encounter, kind kiosk.PackageKind, parts []Part, card *kiosk.IndexCard) (OutboxItem, error) {
	release, err := s.use(ctx)
	if err != nil {
		return OutboxItem{}, err
	}
	defer release()
	if kind == kiosk.PackageNotice {
		return OutboxItem{}, errors.New("seal: a notice does not end a draft; queue it")
	}
	draft, err := s.v.findDraft(e.ID)
	if errors.Is(err, ErrNoDraft) {
		if i, ok := s.v.sealedAlready(e.ID, kind); ok {
			return i, nil
		}
	}
	if err != nil {
		return OutboxItem{}, fmt.Errorf("seal: %w", err)
	}
	i, err := s.pack(ctx, e, kind, parts, card, draft)
	if err != nil {
		return OutboxItem{}, fmt.Errorf("seal: %w", full(err))
	}
	return i, s.v.Audit("sealed", e.ID, s.op.Label, i.ID[:16])
}

// Queue seals a package of its own, such as the notice of a hit, while the draft
// goes on. Every call makes another package.
func (s *Subjects) Queue(ctx context.Context, e *kiosk.Encounter, kind kiosk.PackageKind, parts []Part) (OutboxItem, error) {
	release, err := s.use(ctx)
	if err != nil {
		return OutboxItem{}, err
	}
	defer release()
	i, err := s.pack(ctx, e, kind, parts, nil, nil)
	if err != nil {
		return OutboxItem{}, fmt.Errorf("queue: %w", full(err))
	}
	return i, s.v.Audit("queued "+string(kind), e.ID, s.op.Label, i.ID[:16])
}

func (v *Vault) sealedAlready(id kiosk.EncounterID, kind kiosk.PackageKind) (OutboxItem, bool) {
	ps, err := v.Packages(id)
	if err != nil {
		return OutboxItem{}, false
	}
	i := slices.IndexFunc(ps, func(p OutboxItem) bool { return p.Kind == kind })
	if i < 0 {
		return OutboxItem{}, false
	}
	return ps[i], true
}

// pack makes one package durable and, if draft is not nil, ends the draft.
func (s *Subjects) pack(ctx context.Context, e *kiosk.Encounter, kind kiosk.PackageKind, parts []Part, card *kiosk.IndexCard, draft *draftRecord) (OutboxItem, error) {
	if e.Visit == kiosk.VisitTest {
		return OutboxItem{}, kiosk.ErrTest
	}
	blobs, manifest, err := s.v.encrypt(ctx, e, kind, parts)
	if err != nil {
		return OutboxItem{}, err
	}
	wants := []keyring.Want{{Tier: keyring.Machine, Use: keyring.UseSealed}}
	if card != nil {
		wants = append(wants, keyring.Want{Tier: keyring.Subject, Use: keyring.UseCard})
	}
	refs, keys, err := s.v.ring.NewKeys(s.s, wants...)
	if err != nil {
		return OutboxItem{}, err
	}
	f, err := s.v.createEnc(kindSealed, e.ID, refs[0], keys[0], blobs)
	if err != nil {
		return OutboxItem{}, errors.Join(err, s.v.ring.Erase(refs...))
	}
	name := f.name
	if err := f.close(); err != nil {
		return OutboxItem{}, err
	}
	if draft != nil && s.v.fault.eraseFirst {
		s.v.destroy(draft.Ref, draft.File)
	}
	record, err := s.v.newOutRecord(manifest, name, refs[0])
	if err != nil {
		return OutboxItem{}, err
	}
	var old keyring.Ref
	err = s.v.db.Update(func(tx *bolt.Tx) error {
		if err := s.v.putOut(tx, record); err != nil {
			return err
		}
		if card != nil {
			var err error
			if old, err = s.v.putCard(tx, card, refs[1], keys[1]); err != nil {
				return err
			}
		}
		if draft != nil {
			return tx.Bucket([]byte(bDrafts)).Delete(s.v.blind(bDrafts, string(e.ID)))
		}
		return nil
	})
	if err != nil {
		return OutboxItem{}, errors.Join(err, s.v.ring.Erase(refs...), s.v.destroy(refs[0], name))
	}
	if draft != nil {
		s.forget(e.ID)
		if err := s.v.erase(draft.Ref, old); err != nil {
			return OutboxItem{}, err
		}
		if err := s.v.destroy(draft.Ref, draft.File); err != nil {
			return OutboxItem{}, err
		}
	}
	return record.item(), nil
}

// encrypt seals the parts to their recipients and signs the manifest. The
// sealed file also holds the manifest, so that a lost index can be made again.
func (v *Vault) encrypt(ctx context.Context, e *kiosk.Encounter, kind kiosk.PackageKind, parts []Part) (blobs map[string][]byte, manifest []byte, err error) {
	me, _ := v.Kiosk()
	if me == "" {
		return nil, nil, ErrNoIdentity
	}
	agreement, err := v.AgreementBy(e.Agreement)
	if err != nil {
		return nil, nil, err
	}
	at := v.now().Time
	m := kiosk.Manifest{Format: 1, Kiosk: me, Encounter: e.ID, Kind: kind, Agreement: e.Agreement, Training: e.Training, Hit: e.Hit(), Sealed: at}
	if e.Amendment != nil {
		if m.Cites, err = v.cited(e.Amendment.Receipt); err != nil {
			return nil, nil, err
		}
	}
	blobs = map[string][]byte{}
	for _, p := range parts {
		if err := ctx.Err(); err != nil {
			return nil, nil, err
		}
		r := policy.Recipient(&agreement, p.Kind.Recipient())
		if r == nil {
			return nil, nil, fmt.Errorf("the agreement names no recipient for %s", p.Kind)
		}
		var out bytes.Buffer
		out.Grow(len(p.Body) + 2048)
		id := seal.KeyID(r.Key)
		b := seal.Binding{Kiosk: me, Encounter: e.ID, Agreement: e.Agreement, KeyID: id, Part: p.Name}
		digest, size, err := seal.Seal(&out, bytes.NewReader(p.Body), r.Key, b, v.id.signing())
		if err != nil {
			return nil, nil, fmt.Errorf("part %q: %w", p.Name, err)
		}
		if _, twice := blobs[p.Name]; twice || p.Name == manifestBlob {
			return nil, nil, fmt.Errorf("part %q stands twice", p.Name)
		}
		blobs[p.Name] = out.Bytes()
		m.Parts = append(m.Parts, kiosk.Part{Name: p.Name, Kind: p.Kind, Digest: digest, Size: size, KeyID: id})
	}
	if manifest, err = seal.SignManifest(m, v.id.signing()); err != nil {
		return nil, nil, err
	}
	blobs[manifestBlob] = manifest
	return blobs, manifest, nil
}

// cited finds the encounter whose receipt has a digest. A receipt that another
// kiosk holds is cited inside the record part only.
func (v *Vault) cited(receipt string) (id kiosk.EncounterID, err error) {
	err = v.db.View(func(tx *bolt.Tx) error {
		for _, bucket := range []string{bOutbox, bPurged} {
			err := v.eachOut(tx, bucket, func(r *outRecord) error {
				for _, note := range r.Receipts {
					if seal.Digest(note) == receipt {
						id = r.Meta.Encounter
					}
				}
				return nil
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	return id, err
}

// manifestBlob cannot be a part's name: those have no slash.
const manifestBlob = "/manifest"
