package hub_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"tambo/kiosk"
	"tambo/sync/hub"
)

// A keeper writes an agreement from the template: nothing of it can be put in
// force unwritten, and the names that the person reads stay beside the hub's
// own keys.
func TestAgreementFromTheTemplate(t *testing.T) {
	keys, err := hub.GenerateKeys(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	s := &memory{rows: map[hub.Table]map[string][]byte{}}
	if err := hub.Init(t.Context(), s, keys, false, time.Now()); err != nil {
		t.Fatal(err)
	}
	h, err := hub.New(t.Context(), hub.Config{Store: s, Keys: keys})
	if err != nil {
		t.Fatal(err)
	}
	do := func(name string, args []byte) (any, error) {
		return h.Do(t.Context(), hub.Order{Name: name, Args: args})
	}
	got, err := do("agreement template", nil)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := do("agreement put", text); !errors.Is(err, hub.ErrArgument) || !strings.Contains(err.Error(), "template") {
		t.Errorf("an unwritten template was put in force: %v", err)
	}
	if _, err := do("agreement put", []byte(strings.ReplaceAll(string(text), "REPLACE: ", "the "))); err != nil {
		t.Fatal(err)
	}
	got, err = do("agreement show", nil)
	if err != nil {
		t.Fatal(err)
	}
	a := got.(*kiosk.Agreement)
	if len(a.Recipients) != 3 || a.Training {
		t.Fatalf("%d recipients, training %v", len(a.Recipients), a.Training)
	}
	for i, r := range a.Recipients {
		own := keys.Recipients[i]
		if r.Name != "the name of the "+string(r.Role)+", as the person reads it" || r.KeyID != own.KeyID || string(r.Key) != string(own.Key) || r.Role != own.Role {
			t.Errorf("recipient %+v", r)
		}
	}
	a.Version++
	a.Recipients[0].KeyID = "another"
	if text, err = json.Marshal(a); err != nil {
		t.Fatal(err)
	}
	if _, err := do("agreement put", text); !errors.Is(err, hub.ErrArgument) {
		t.Errorf("a matcher whose key is not here: %v", err)
	}
}
