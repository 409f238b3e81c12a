package session

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"tambo/kiosk"
	"tambo/kiosk/gallery"
)

// Loading says how far a sign-in has come with making the site's index cards
// searchable.
type Loading struct {
	Done, Total int // cards
}

// Loading returns how far the sign-in under way has come; false while there is
// none. It never waits for an act: a window asks it while [Service.SignIn], which
// ends when its context does, is running.
func (s *Service) Loading() (Loading, bool) {
	l := s.loading.Load()
	if l == nil {
		return Loading{}, false
	}
	return *l, true
}

// loadSite makes every index card searchable: its search codes only; templates
// stay in the vault until a search wants them. The caller holds the lock.
func (s *Service) loadSite(ctx context.Context) error {
	s.site = gallery.NewFetching(siteCards{s})
	s.unread.Store(0)
	s.loading.Store(&Loading{})
	defer s.loading.Store(nil)
	var mu sync.Mutex
	var bare []kiosk.EncounterID // cards whose codes nobody packed, or in another encoding
	var most int
	site := s.site
	progress := func(done, total int) {
		mu.Lock()
		defer mu.Unlock()
		if most <= done { // goroutines report in any order
			most = done
			s.loading.Store(&Loading{done, total})
		}
	}
	lost, err := s.subjects.Searchable(ctx, progress, func(id kiosk.EncounterID, search []byte) error {
		if search == nil || site.AddPacked(gallery.ID(id), search) != nil {
			mu.Lock()
			defer mu.Unlock()
			bare = append(bare, id)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("index cards: %w", err)
	}
	s.unread.Add(int64(lost))
	for _, id := range bare {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("index cards: %w", err)
		}
		c, err := s.subjects.Card(ctx, id)
		if err == nil {
			err = s.addCard(c)
		}
		if err != nil && !errors.Is(err, ErrNoCard) {
			// One card that cannot be read locks nobody out; every search counts it
			// as not compared.
			s.unread.Add(1)
			s.log.Error("index card cannot be searched; the others can", "encounter", id, "err", err)
		}
	}
	return nil
}

// addCard makes a card searchable. The caller holds the lock.
func (s *Service) addCard(c kiosk.IndexCard) error {
	for _, t := range c.Templates {
		if err := s.site.Add(gallery.Entry{ID: gallery.ID(c.Encounter), Eye: t.Eye, Template: t}); err != nil {
			return fmt.Errorf("index card %s: %w", c.Encounter, err)
		}
	}
	return nil
}

// siteCards gives a search the templates of the cards that it compares in full.
type siteCards struct{ s *Service }

// Templates is called while an act holds the service's lock. A card that ended
// meanwhile, or is damaged, leaves the gallery, so that no search fails for it; a
// damaged one is not compared in this search nor in any later one, and counted so.
func (c siteCards) Templates(ctx context.Context, id gallery.ID) ([]kiosk.Template, error) {
	card, err := c.s.subjects.Card(ctx, kiosk.EncounterID(id))
	if err == nil {
		return card.Templates, nil
	}
	damaged := errors.Is(err, ErrDamaged)
	if damaged || errors.Is(err, ErrNoCard) {
		c.s.log.Warn("index card is no longer searched", "encounter", id, "err", err)
		if n := c.s.site.Remove(id); damaged {
			c.s.unread.Add(int64(n))
		}
	}
	return nil, err
}

// Card returns what is kept of an earlier encounter of this site; false if
// nothing is.
func (s *Service) Card(id kiosk.EncounterID) (CardLine, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.subjects == nil {
		return CardLine{}, false
	}
	c, err := s.subjects.Card(context.Background(), id)
	if err != nil {
		return CardLine{}, false
	}
	return CardLine{Wristband: c.Wristband, Date: c.Date, Site: c.Site, Name: c.Name}, true
}
