package hub

import (
	"context"
	"errors"
	"fmt"

	"tambo/kiosk"
	"tambo/sync/wire"
)

// hereBefore is what a kiosk is told about a candidate of the hub's gallery.
var hereBefore = kiosk.Instruction{Code: "here-before", Text: map[string]string{
	"en": "The hub may know this person from an earlier encounter. Not yet confirmed by a person. Keep the record open to questions and ask the supervisor.",
	"es": "El centro puede conocer a esta persona de un encuentro anterior. Aún no confirmado por una persona. Consulte al supervisor.",
}}

// raise makes an alert of a candidate, within the transaction of its match. The
// notice of a hit and the record that follows it find the same candidate: that
// is one alert.
func (h *Hub) raise(tx Tx, p *Package, c kiosk.Candidate) (string, error) {
	raised := ""
	err := scan(tx, TableAlerts, alertKey(p.Manifest.Kiosk, ""), func(_ string, r *AlertRow) error {
		x := r.Alert.Candidate
		if r.Alert.Encounter == p.Manifest.Encounter && x.Kind == c.Kind && x.Encounter == c.Encounter && x.List == c.List && x.Entry == c.Entry {
			raised = r.Alert.ID
			return ErrStop
		}
		return nil
	})
	if err != nil || raised != "" {
		return raised, err
	}
	id := string(kiosk.NewEncounterID()) // 100 random bits in the same alphabet
	i := hereBefore
	if c.Instruction != nil {
		i = *c.Instruction
	}
	row := AlertRow{Kiosk: p.Manifest.Kiosk, Package: p.Digest, Alert: kiosk.Alert{
		ID: id, Encounter: p.Manifest.Encounter, State: kiosk.AlertRaised, Candidate: c, Instruction: i,
		Raised: h.now().UTC(), Version: 1,
	}}
	return id, put(tx, TableAlerts, alertKey(p.Manifest.Kiosk, id), row)
}

func alertKey(k kiosk.KioskID, id string) string { return string(k) + "/" + id }

// word takes a kiosk's word that an alert was seen, or is done with. The same
// word again changes nothing.
func (h *Hub) word(ctx context.Context, k *Kiosk, w *wire.AlertWord) error {
	return h.store.Update(ctx, func(tx Tx) error {
		row, err := get[AlertRow](tx, TableAlerts, alertKey(k.ID, w.Alert))
		if errors.Is(err, ErrNotFound) {
			return wire.NewProblem(wire.CodeNotYours, "alert")
		}
		if err != nil {
			return err
		}
		if row.Alert.State == w.State || row.Alert.State == kiosk.AlertDone || row.Alert.State == kiosk.AlertWithdrawn {
			return nil
		}
		row.Alert.State, row.Alert.SeenBy = w.State, w.By
		row.Alert.Version++
		return put(tx, TableAlerts, alertKey(k.ID, w.Alert), row)
	})
}

// answerable lists, for each answer of a person at the hub, whether the alert
// counts as confirmed by one.
var answerable = map[kiosk.AlertState]bool{
	kiosk.AlertClaimed: false, kiosk.AlertConfirmed: true, kiosk.AlertRejected: false, kiosk.AlertCannotTell: false, kiosk.AlertWithdrawn: false,
}

// answer changes an alert at the hub: by is who looked at the evidence.
func (h *Hub) answer(ctx context.Context, id string, state kiosk.AlertState, by string) error {
	confirmed, ok := answerable[state]
	if !ok || by == "" {
		return fmt.Errorf("%w: an answer is claimed, confirmed, rejected, cannot tell or withdrawn, and names who gave it", ErrArgument)
	}
	return h.store.Update(ctx, func(tx Tx) error {
		var found *AlertRow
		if err := scan(tx, TableAlerts, "", func(key string, r *AlertRow) error {
			if r.Alert.ID == id {
				found = r
				return ErrStop
			}
			return nil
		}); err != nil {
			return err
		}
		if found == nil {
			return fmt.Errorf("%w: no alert %q", ErrArgument, id)
		}
		found.Alert.State, found.Alert.Confirmed, found.By = state, confirmed, by
		found.Alert.Version++
		return put(tx, TableAlerts, alertKey(found.Kiosk, id), found)
	})
}
