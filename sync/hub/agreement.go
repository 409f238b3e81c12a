package hub

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	"tambo/kiosk"
	"tambo/kiosk/policy"
)

// toReplace begins every text of the template that the parties must write. An
// agreement that still holds it is not put in force.
const toReplace = "REPLACE: "

// templateAgreement answers "agreement template": a whole agreement with every
// rule in its place, to be edited. Rules are the training agreement's; parties,
// law, notice, redress and the recipients' names are to be written; "agreement put"
// fills in the hub's keys. Its version follows the one in force.
func (h *Hub) templateAgreement(ctx context.Context, _ None) (*kiosk.Agreement, error) {
	a := policy.TrainingAgreement(recipientRoles(), h.now())
	a.ID, a.Version, a.Training = "agreement-id", 1, false
	a.Title = toReplace + "title of the agreement"
	for i := range a.Parties {
		p := &a.Parties[i]
		p.Name, p.Country = toReplace+"name of the "+string(p.Role)+" party", toReplace+"country code"
	}
	for i := range a.Recipients {
		r := &a.Recipients[i]
		r.Name = toReplace + "name of the " + string(r.Role) + ", as the person reads it"
	}
	for i := range a.Authorities {
		x := &a.Authorities[i]
		x.Code, x.Citation = fmt.Sprintf("authority-%d", i+1), toReplace+"citation of the "+string(x.Kind)
	}
	for lang := range a.Notice.Text {
		a.Notice.Text[lang] = toReplace + "the whole notice that is given in " + lang
	}
	a.Notice.Digest = nil // filled in when the agreement is put
	for lang := range a.Redress.Contact {
		a.Redress.Contact[lang] = toReplace + "where to object, in " + lang
	}
	a.Caveats = nil
	err := h.store.View(ctx, func(tx Tx) error {
		m, err := meta(tx)
		if err != nil || m.Agreement == "" {
			return err
		}
		old, err := agreement(tx, h.keys, m.Agreement)
		if err == nil {
			a.ID, a.Version = old.ID, old.Version+1
		}
		return err
	})
	return &a, err
}

// recipientRoles is one recipient a role, without names and keys.
func recipientRoles() []kiosk.Recipient {
	return []kiosk.Recipient{{Role: kiosk.RecipientMatcher}, {Role: kiosk.RecipientCustodian}, {Role: kiosk.RecipientAdjudicator}}
}

// finish fills in what an agreement need not spell out, the digests of its
// notice, and refuses one that still holds words of the template.
func finish(a *kiosk.Agreement) error {
	if len(a.Notice.Digest) == 0 {
		a.Notice.Digest = map[string]string{}
		for lang, text := range a.Notice.Text {
			a.Notice.Digest[lang] = policy.TextDigest(text)
		}
	}
	body, err := json.Marshal(a)
	if err != nil {
		return err
	}
	if i := bytes.Index(body, []byte(toReplace)); i >= 0 {
		what, _, _ := bytes.Cut(body[i+len(toReplace):], []byte{'"'})
		return fmt.Errorf("%w: the agreement still holds words of the template: %d places begin with %q, the first is %q", ErrArgument, bytes.Count(body, []byte(toReplace)), toReplace, what)
	}
	return nil
}
