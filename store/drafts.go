package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"

	bolt "go.etcd.io/bbolt"

	"tambo/kiosk"
	"tambo/store/internal/twin"
	"tambo/store/keyring"
)

const stateBlob = "state" // the encounter itself; images stand beside it as "image/NAME"

func imageBlob(part string) string { return "image/" + part }

// draftRecord says which file and key a draft has.
type draftRecord struct {
	Encounter kiosk.EncounterID `json:"encounter"`
	File      string            `json:"file"`
	Ref       keyring.Ref       `json:"ref"`
}

func (v *Vault) draftRecord(tx *bolt.Tx, id kiosk.EncounterID) (*draftRecord, error) {
	name := v.blind(bDrafts, string(id))
	b := tx.Bucket([]byte(bDrafts)).Get(name)
	if b == nil {
		return nil, fmt.Errorf("%s: %w", id, ErrNoDraft)
	}
	return v.decodeDraft(name, b)
}

func (v *Vault) decodeDraft(name, b []byte) (*draftRecord, error) {
	plain, err := v.openValue(bDrafts, name, b)
	if err != nil {
		return nil, err
	}
	var r draftRecord
	if err := json.Unmarshal(plain, &r); err != nil {
		return nil, &ErrDamaged{indexFile, "one entry of its drafts cannot be read", err}
	}
	return &r, nil
}

func (v *Vault) putDraft(tx *bolt.Tx, r *draftRecord) error {
	name := v.blind(bDrafts, string(r.Encounter))
	b, err := json.Marshal(r)
	if err != nil {
		return err
	}
	return tx.Bucket([]byte(bDrafts)).Put(name, v.sealValue(bDrafts, name, b))
}

func (v *Vault) findDraft(id kiosk.EncounterID) (r *draftRecord, err error) {
	err = v.db.View(func(tx *bolt.Tx) (err error) {
		r, err = v.draftRecord(tx, id)
		return err
	})
	return r, err
}

// file returns a draft's open file.
func (s *Subjects) file(id kiosk.EncounterID) (*encFile, error) {
	if f := s.files[id]; f != nil {
		return f, nil
	}
	r, err := s.v.findDraft(id)
	if err != nil {
		return nil, err
	}
	key, err := s.v.ring.Key(r.Ref, s.s)
	if err != nil {
		if errors.Is(err, keyring.ErrErased) || errors.Is(err, keyring.ErrDamagedSlot) {
			return nil, s.v.damaged(&ErrDamaged{"keys.tbl", "the key of draft " + string(id) + " is gone; begin it anew", err})
		}
		return nil, err
	}
	f, err := s.v.openEnc(r.File, key, false)
	if err != nil {
		return nil, err
	}
	s.files[id] = f
	return f, nil
}

// SaveDraft makes an encounter's state and any new images durable in one
// transaction. The first save makes the draft, in a file and under a key of its
// own. Images are kept by the name of their part ([kiosk.Capture].Part). A disk
// with less than the reserve free takes no new draft ([ErrDiskFull]).
func (s *Subjects) SaveDraft(ctx context.Context, e *kiosk.Encounter, images map[string][]byte) error {
	release, err := s.use(ctx)
	if err != nil {
		return err
	}
	defer release()
	if err := s.saveDraft(e, images); err != nil {
		return fmt.Errorf("save draft: %w", full(err))
	}
	return nil
}

func (s *Subjects) saveDraft(e *kiosk.Encounter, images map[string][]byte) error {
	if e.Visit == kiosk.VisitTest {
		return kiosk.ErrTest
	}
	if err := e.ID.Validate(); err != nil {
		return err
	}
	state, err := json.Marshal(e)
	if err != nil {
		return err
	}
	blobs := map[string][]byte{stateBlob: state}
	for name, b := range images {
		blobs[imageBlob(name)] = b
	}
	f, err := s.file(e.ID)
	if errors.Is(err, ErrNoDraft) {
		return s.newDraft(e.ID, blobs)
	}
	if err != nil {
		return err
	}
	return f.update(blobs, nil)
}

func (s *Subjects) newDraft(id kiosk.EncounterID, blobs map[string][]byte) error {
	if free, _, err := s.v.space(); err != nil {
		return err
	} else if s.v.o.Reserve > 0 && free < uint64(s.v.o.Reserve) {
		return fmt.Errorf("%w (%d MiB free, %d are kept back)", ErrDiskFull, free>>20, s.v.o.Reserve>>20)
	}
	if sealed, err := s.v.hasRecord(id); err != nil || sealed {
		return errors.Join(err, fmt.Errorf("%s was sealed already", id))
	}
	return s.writeDraft(id, blobs, nil)
}

// hasRecord reports whether an encounter's own package was sealed already: a
// sealed record is never changed.
func (v *Vault) hasRecord(id kiosk.EncounterID) (bool, error) {
	ps, err := v.Packages(id)
	return slices.ContainsFunc(ps, func(p OutboxItem) bool { return p.Kind != kiosk.PackageNotice }), err
}

// writeDraft puts a draft into a new file under a new key, makes the index name
// it, and destroys what it replaces.
func (s *Subjects) writeDraft(id kiosk.EncounterID, blobs map[string][]byte, old *draftRecord) error {
	ref, key, err := s.v.ring.NewKey(s.s, keyring.Subject, keyring.UseDraft)
	if err != nil {
		return err
	}
	f, err := s.v.createEnc(kindDraft, id, ref, key, blobs)
	if err != nil {
		return errors.Join(err, s.v.ring.Erase(ref))
	}
	err = s.v.db.Update(func(tx *bolt.Tx) error { return s.v.putDraft(tx, &draftRecord{id, f.name, ref}) })
	if err != nil {
		name := f.name
		f.close()
		return errors.Join(err, s.v.destroy(ref, name))
	}
	if was := s.files[id]; was != nil {
		was.close()
	}
	s.files[id] = f
	if old != nil {
		return s.v.destroy(old.Ref, old.File)
	}
	return nil
}

// destroy erases a key and removes the file that only it opened. The index must
// have stopped naming them, durably.
func (v *Vault) destroy(ref keyring.Ref, name string) error {
	if err := v.erase(ref); err != nil {
		return err
	}
	if err := os.Remove(v.path(name)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return twin.SyncDir(v.path(""))
}

// Draft returns an encounter that is not sealed yet.
func (s *Subjects) Draft(ctx context.Context, id kiosk.EncounterID) (*kiosk.Encounter, error) {
	release, err := s.use(ctx)
	if err != nil {
		return nil, err
	}
	defer release()
	return s.draft(id)
}

func (s *Subjects) draft(id kiosk.EncounterID) (*kiosk.Encounter, error) {
	f, err := s.file(id)
	if err != nil {
		return nil, err
	}
	b, err := f.get(stateBlob)
	if err != nil {
		return nil, err
	}
	var e kiosk.Encounter
	if err := json.Unmarshal(b, &e); err != nil {
		return nil, &ErrDamaged{encDir + "/" + f.name, "the draft's state cannot be read", err}
	}
	return &e, nil
}

// DraftSummary is a draft as a list shows it.
type DraftSummary struct {
	ID        kiosk.EncounterID
	Wristband string
	Visit     kiosk.VisitKind
	State     kiosk.State
	At        kiosk.StepKind // the step it stands at
	Begun     kiosk.Instant
	Hold      *kiosk.Hold
	Err       error // *ErrDamaged when the draft cannot be read; the fields but ID are then empty
}

// Drafts lists the encounters that are not sealed yet, oldest first. One that
// cannot be read is listed with its error and does not hide the others.
func (s *Subjects) Drafts(ctx context.Context) ([]DraftSummary, error) {
	release, err := s.use(ctx)
	if err != nil {
		return nil, err
	}
	defer release()
	ids, err := s.v.DraftIDs()
	if err != nil {
		return nil, err
	}
	out := make([]DraftSummary, 0, len(ids))
	for _, id := range ids {
		e, err := s.draft(id)
		if err != nil {
			out = append(out, DraftSummary{ID: id, Err: err})
			continue
		}
		out = append(out, DraftSummary{e.ID, e.Arrival.Wristband, e.Visit, e.State, e.At, e.Begun, e.Hold, nil})
	}
	slices.SortStableFunc(out, func(a, b DraftSummary) int { return a.Begun.Time.Compare(b.Begun.Time) })
	return out, ctx.Err()
}

// DraftIDs lists the encounters that are not sealed yet, with nobody signed in.
func (v *Vault) DraftIDs() ([]kiosk.EncounterID, error) {
	var ids []kiosk.EncounterID
	err := v.db.View(func(tx *bolt.Tx) error {
		return tx.Bucket([]byte(bDrafts)).ForEach(func(name, b []byte) error {
			r, err := v.decodeDraft(name, b)
			if err == nil {
				ids = append(ids, r.Encounter)
			}
			return err
		})
	})
	return ids, err
}

// Image returns an image of a draft; [ErrNoImage] if it was never saved or was
// dropped.
func (s *Subjects) Image(ctx context.Context, id kiosk.EncounterID, part string) ([]byte, error) {
	release, err := s.use(ctx)
	if err != nil {
		return nil, err
	}
	defer release()
	f, err := s.file(id)
	if err != nil {
		return nil, err
	}
	b, err := f.get(imageBlob(part))
	if err != nil {
		return nil, fmt.Errorf("image %q: %w", part, err)
	}
	return b, nil
}

// DropImages destroys images of a draft. A database does not erase what it
// deletes, so everything else is written to a new file under a new key and the
// old key is erased: when DropImages returns, nothing here opens the images.
// The encounter's state is kept as it was saved last; save it first, without
// what is no longer permitted.
func (s *Subjects) DropImages(ctx context.Context, id kiosk.EncounterID, parts ...string) error {
	release, err := s.use(ctx)
	if err != nil {
		return err
	}
	defer release()
	if err := s.rekey(id, parts); err != nil {
		return fmt.Errorf("drop images: %w", full(err))
	}
	return s.v.Audit("images destroyed", id, s.op.Label, fmt.Sprint(len(parts)))
}

func (s *Subjects) rekey(id kiosk.EncounterID, without []string) error {
	f, err := s.file(id)
	if err != nil {
		return err
	}
	old, err := s.v.findDraft(id)
	if err != nil {
		return err
	}
	infos, err := f.list()
	if err != nil {
		return err
	}
	blobs := map[string][]byte{}
	for _, i := range infos {
		if slices.ContainsFunc(without, func(p string) bool { return imageBlob(p) == i.Name }) {
			continue
		}
		if blobs[i.Name], err = f.get(i.Name); err != nil {
			return err
		}
	}
	return s.writeDraft(id, blobs, old)
}

// Discard destroys a draft: an encounter that was abandoned with nothing to
// report. A draft with a hit is sealed instead; that is intake's rule.
func (s *Subjects) Discard(ctx context.Context, id kiosk.EncounterID) error {
	release, err := s.use(ctx)
	if err != nil {
		return err
	}
	defer release()
	r, err := s.v.findDraft(id)
	if err != nil {
		return fmt.Errorf("discard: %w", err)
	}
	err = s.v.db.Update(func(tx *bolt.Tx) error {
		return tx.Bucket([]byte(bDrafts)).Delete(s.v.blind(bDrafts, string(id)))
	})
	if err != nil {
		return fmt.Errorf("discard: %w", full(err))
	}
	s.forget(id)
	if err := s.v.destroy(r.Ref, r.File); err != nil {
		return fmt.Errorf("discard: %w", full(err))
	}
	return s.v.Audit("draft destroyed", id, s.op.Label, "")
}

func (s *Subjects) forget(id kiosk.EncounterID) {
	if f := s.files[id]; f != nil {
		f.close()
		delete(s.files, id)
	}
}

func (v *Vault) erase(refs ...keyring.Ref) error {
	if v.fault.keepKeys {
		return nil
	}
	return v.ring.Erase(refs...)
}
