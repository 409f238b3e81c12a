package session

import (
	"context"
	"fmt"
	"time"

	"tambo/kiosk"
	"tambo/kiosk/gallery"
	"tambo/kiosk/intake"
	"tambo/kiosk/policy"
	"tambo/kiosk/record"
)

// act applies an event and carries out its effects, in their order. e becomes
// the new state as soon as that is saved, so that what follows (sealing) can be
// tried again when it fails. The caller holds the lock.
func (s *Service) act(ctx context.Context, e *kiosk.Encounter, ev kiosk.Event, images map[string][]byte) error {
	return s.actAs(ctx, e, ev, images, s.operator)
}

func (s *Service) actAs(ctx context.Context, e *kiosk.Encounter, ev kiosk.Event, images map[string][]byte, by kiosk.Operator) error {
	r, err := s.rules()
	if err != nil {
		return err
	}
	next, effects, err := r.Apply(*e, ev, by, s.now())
	if err != nil {
		return err
	}
	// Once something durable was done, the rest follows even if the caller goes
	// away.
	ctx = context.WithoutCancel(ctx)
	defer s.show()
	for _, x := range effects {
		switch x := x.(type) {
		case intake.SendHit:
			err = s.sendHit(ctx, &next)
		case intake.DropImages:
			err = s.drop(ctx, next.ID, x.Parts)
		case intake.Save:
			if err = s.subjects.SaveDraft(ctx, &next, images); err == nil {
				*e, s.current = next, e
				s.forgetForbidden()
				s.audit(ctx, ev.Name(), e.ID)
			}
		case intake.Seal:
			err = s.seal(ctx, e, x.Kind)
		case intake.Discard:
			if err = s.subjects.Discard(ctx, next.ID); err == nil {
				*e = next
				s.audit(ctx, ev.Name(), e.ID)
			}
		case intake.Leave:
			s.current, s.irises, s.photo = nil, nil, nil
		case intake.BeginAnother:
			_, err = s.begin(ctx, e.Visit, x.Continues)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", ev.Name(), err)
		}
	}
	return nil
}

func (s *Service) drop(ctx context.Context, id kiosk.EncounterID, parts []string) error {
	all := make([]string, 0, 2*len(parts))
	for _, p := range parts {
		all = append(all, p, record.CropPart(p))
	}
	return s.subjects.DropImages(ctx, id, all...)
}

// sendHit queues a notice of the hit for the hub, before anybody sees it.
func (s *Service) sendHit(ctx context.Context, e *kiosk.Encounter) error {
	parts, err := record.Compose(e, kiosk.PackageNotice, func(p string) ([]byte, error) { return s.subjects.Image(ctx, e.ID, p) })
	if err != nil {
		return err
	}
	_, err = s.subjects.Queue(ctx, e, kiosk.PackageNotice, parts)
	return err
}

// seal builds the package of a complete encounter. When it returns nil the
// package is durable, the draft's key is gone, and the card can be searched.
func (s *Service) seal(ctx context.Context, e *kiosk.Encounter, kind kiosk.PackageKind) error {
	r, err := s.rules()
	if err != nil {
		return err
	}
	parts, err := record.Compose(e, kind, func(p string) ([]byte, error) { return s.subjects.Image(ctx, e.ID, p) })
	if err != nil {
		return err
	}
	card := indexCard(&r.Agreement, e, s.now())
	_, err = s.subjects.Seal(ctx, e, kind, parts, card)
	if err != nil {
		return fmt.Errorf("the encounter is complete and kept, and could not be sealed: %w", err)
	}
	if next, _, err := r.Apply(*e, kiosk.SealedDone{}, s.operator, s.now()); err == nil {
		*e = next
	}
	if card != nil {
		return s.addCard(*card)
	}
	return nil
}

// indexCard is what stays searchable, as far as the agreement lets it; nil if
// it lets nothing.
func indexCard(a *kiosk.Agreement, e *kiosk.Encounter, now kiosk.Instant) *kiosk.IndexCard {
	if a.LocalSearch.Keep <= 0 {
		return nil
	}
	c := &kiosk.IndexCard{
		Encounter: e.ID, Wristband: e.Arrival.Wristband, Date: now.Time.Format(time.DateOnly), Site: e.Site,
		Custody: kiosk.CustodyHere, Training: e.Training, Ends: now.Time.Add(a.LocalSearch.Keep),
	}
	if a.LocalSearch.Name {
		c.Name = name(&e.Identity)
	}
	for _, eye := range kiosk.BothEyes {
		if x := e.Best(eye); x != nil && x.Template != nil {
			c.Templates = append(c.Templates, *x.Template)
		}
	}
	if len(c.Templates) == 0 {
		return nil
	}
	if packed, err := gallery.Pack(c.Templates); err == nil {
		c.Search = packed // without it the card is searchable all the same, more slowly
	}
	return c
}

// name is the name that holds, and after it what the document's zone says where
// that is another: somebody found again is called by both.
func name(id *kiosk.Identity) string {
	own := id.Surname.Value + " " + id.Given.Value
	surname, given := id.Surname.Value, id.Given.Value
	for _, d := range id.Disagreements {
		for _, v := range d.Values {
			switch {
			case v.Source != kiosk.SourceMRZ:
			case d.Field == "surname":
				surname = v.Value
			case d.Field == "given":
				given = v.Value
			}
		}
	}
	if zone := surname + " " + given; zone != own {
		return own + " (" + zone + ")"
	}
	return own
}

// forgetForbidden drops what a camera showed and may no longer be kept: the
// person turned out to be younger, or is protected.
func (s *Service) forgetForbidden() {
	if !s.current.Permits(kiosk.ModalityIris) {
		s.irises = nil
	}
	if !s.current.Permits(kiosk.ModalityFace) {
		s.photo = nil
	}
}

// closed reports whether enrolment is closed, and why.
func (s *Service) closed() error {
	a, _, err := s.vault.Agreement()
	if err != nil {
		return err
	}
	return policy.InForce(&a, s.clock())
}
