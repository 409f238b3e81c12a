package discover

import (
	"context"
	"time"
)

// EventKind says what happened.
type EventKind string

// Event kinds.
const (
	Arrived EventKind = "arrived" // plugged in, or there when watching began
	Left    EventKind = "left"    // unplugged
	Trouble EventKind = "trouble" // a bus cannot be listed; what was known stays
)

// Event is a change.
type Event struct {
	Kind   EventKind
	Device Device // not for Trouble
	Err    error  // for Trouble
	At     time.Time
}

// Watch reports what is there, and then every change, until ctx ends, which
// closes the channel. A device that was unplugged and plugged in again between
// two looks has left and arrived. A reader that is slow delays the next look,
// and loses nothing.
func (d *Discovery) Watch(ctx context.Context) <-chan Event {
	ch := make(chan Event)
	go func() {
		defer close(ch)
		send := func(e Event) bool {
			e.At = time.Now()
			select {
			case ch <- e:
				return true
			case <-ctx.Done():
				return false
			}
		}
		known := map[key]Device{}
		var order []key // in which they arrived
		trouble := ""
		tick := time.NewTicker(d.every)
		defer tick.Stop()
		for {
			if !d.look(ctx, known, &order, &trouble, send) {
				return
			}
			select {
			case <-tick.C:
			case <-ctx.Done():
				return
			}
		}
	}()
	return ch
}

// look lists once and sends what changed; false when ctx ended.
func (d *Discovery) look(ctx context.Context, known map[key]Device, order *[]key, trouble *string, send func(Event) bool) bool {
	list, err := d.List(ctx)
	if ctx.Err() != nil {
		return false
	}
	if err == nil {
		*trouble = ""
	} else if err.Error() != *trouble {
		*trouble = err.Error()
		if !send(Event{Kind: Trouble, Err: err}) {
			return false
		}
	}
	now := map[key]bool{}
	for _, f := range list {
		now[f.key()] = true
	}
	var still []key
	for _, k := range *order {
		if now[k] || err != nil { // when a bus fails, absence means nothing
			still = append(still, k)
			continue
		}
		gone := known[k]
		delete(known, k)
		if !send(Event{Kind: Left, Device: gone}) {
			return false
		}
	}
	for _, f := range list {
		if _, old := known[f.key()]; !old {
			known[f.key()] = f
			still = append(still, f.key())
			if !send(Event{Kind: Arrived, Device: f}) {
				return false
			}
		}
	}
	*order = still
	return true
}
