package courier

import (
	"context"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"tambo/store/seal"
	"tambo/sync/wire"
)

// down brings what the hub has for this kiosk.
func (r *rounder) down(ctx context.Context) error {
	have, err := r.c.c.Vault.Have()
	if err != nil {
		return inVault(err)
	}
	var a wire.DownAnswer
	if err := r.call(ctx, "GET", wire.RouteDown, query(have), "", nil, &a); err != nil {
		return err
	}
	var first error
	for _, d := range a.Documents {
		if err := r.take(d, have[d.Kind]); err != nil && first == nil {
			first = err
		}
	}
	return first
}

// query says what is held, at most [wire.MaxHave] documents: of alerts those
// that sort last may be left out, and come again.
func query(have map[string]uint64) string {
	kinds := slices.SortedFunc(maps.Keys(have), func(a, b string) int {
		if x, y := strings.HasPrefix(a, seal.KindAlert), strings.HasPrefix(b, seal.KindAlert); x != y {
			if y {
				return -1
			}
			return 1
		}
		return strings.Compare(a, b)
	})
	q := url.Values{}
	for _, k := range kinds[:min(len(kinds), wire.MaxHave)] {
		q.Add("have", wire.Have{Kind: k, Version: have[k]}.String())
	}
	return q.Encode()
}

// take verifies a document as far as it can be read, and gives it to the vault.
func (r *rounder) take(d wire.DownDocument, held uint64) error {
	if d.Kind != seal.KindTime && d.Version <= held {
		return fmt.Errorf("%w: %s version %d, and %d is held: it was replayed", ErrAnswer, d.Kind, d.Version, held)
	}
	if wire.AboutPeople(d.Kind) {
		r.rep.Documents++
		return inVault(r.c.c.Vault.PutInbox(d.Kind, d.Version, d.Data))
	}
	inside, _, err := seal.OpenDocument(d.Data, r.pub)
	if err != nil {
		return fmt.Errorf("%w: document %s: %w", ErrAnswer, d.Kind, err)
	}
	if inside.Kind != d.Kind || inside.Version != d.Version || inside.Kiosk != "" && inside.Kiosk != r.id.Kiosk {
		return fmt.Errorf("%w: document %s says inside that it is another", ErrAnswer, d.Kind)
	}
	if d.Kind == seal.KindTime {
		r.rep.HubTime = inside.Issued
		r.rep.Skew = r.c.c.Now().Sub(inside.Issued).Round(time.Second)
		if d.Version <= held { // two rounds in one second, or the hub's clock was set back
			return nil
		}
	} else {
		r.rep.Documents++
	}
	_, err = r.c.c.Vault.PutDocument(d.Data)
	return inVault(err)
}
