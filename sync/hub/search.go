package hub

import (
	"context"
	"errors"
	"sync"

	"tambo/kiosk"
	"tambo/kiosk/gallery"
	"tambo/kiosk/iris"
)

// searcher holds the hub's galleries in memory: one of encounters, one of each
// list. The store has the truth; a searcher is filled from it.
type searcher struct {
	mu  sync.Mutex
	all map[string]*gallery.Gallery
}

const scopeGallery = "gallery"

func scopeList(name string) string { return "list/" + name }

func newSearcher() searcher { return searcher{all: map[string]*gallery.Gallery{}} }

func (s *searcher) scope(name string) *gallery.Gallery {
	s.mu.Lock()
	defer s.mu.Unlock()
	g := s.all[name]
	if g == nil {
		g = gallery.New()
		s.all[name] = g
	}
	return g
}

// add puts templates under an id. Templates that the engine cannot read are
// left out and reported: they were checked when they came.
func (s *searcher) add(scope, id string, ts []kiosk.Template) error {
	g := s.scope(scope)
	var errs []error
	for _, t := range ts {
		if err := g.Add(gallery.Entry{ID: gallery.ID(id), Eye: t.Eye, Template: t}); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

func (s *searcher) remove(scope, id string) { s.scope(scope).Remove(gallery.ID(id)) }

// find searches one scope; at most fpir strangers are expected in the answer.
// A probe with nothing that this engine compares is an incomplete answer, not
// an error.
func (s *searcher) find(ctx context.Context, scope string, ts []kiosk.Template, fpir float64) (gallery.Answer, error) {
	g := s.scope(scope)
	a, err := g.Search(ctx, gallery.Probe{Templates: ts}, gallery.Options{MaxFMR: fpir, TopK: maxCandidates, Aslant: true})
	if errors.Is(err, gallery.ErrProbe) || errors.Is(err, iris.ErrVersion) || errors.Is(err, iris.ErrMalformed) || errors.Is(err, iris.ErrTooFewBits) {
		n := g.Len()
		return gallery.Answer{Total: n, NotCompared: n}, nil
	}
	return a, err
}

// loadGallery fills the searcher from the store, once.
func (h *Hub) loadGallery(ctx context.Context) error {
	h.load.Lock()
	defer h.load.Unlock()
	if h.loaded {
		return nil
	}
	s := newSearcher()
	bad := 0
	err := h.store.View(ctx, func(tx Tx) error {
		if err := scan(tx, TableGallery, "", func(key string, r *galleryRow) error {
			if s.add(scopeGallery, key, r.Templates) != nil {
				bad++
			}
			return ctx.Err()
		}); err != nil {
			return err
		}
		return scan(tx, TableEntries, "", func(key string, r *entryRow) error {
			if !r.Withdrawn && s.add(scopeList(r.Entry.List), r.Entry.ID, r.Entry.Templates) != nil {
				bad++
			}
			return ctx.Err()
		})
	})
	if err != nil {
		return err
	}
	if bad > 0 {
		h.log.Error("some gallery rows cannot be read and are not searched", "rows", bad)
	}
	h.search.mu.Lock()
	h.search.all = s.all
	h.search.mu.Unlock()
	h.loaded = true
	h.log.Info("gallery loaded", "templates", h.search.scope(scopeGallery).Len())
	return nil
}
