package session

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"tambo/kiosk"
	"tambo/kiosk/gallery"
	"tambo/kiosk/policy"
)

// lists are the watchlists, ready to be searched.
type lists struct {
	all     []List
	irises  *gallery.Gallery
	entries map[gallery.ID]*kiosk.WatchlistEntry
}

func newLists(all []List) (*lists, error) {
	l := &lists{all: all, irises: gallery.New(), entries: map[gallery.ID]*kiosk.WatchlistEntry{}}
	for i := range all {
		for j := range all[i].Entries {
			e := &all[i].Entries[j]
			id := gallery.ID(all[i].Name + "/" + e.ID)
			l.entries[id] = e
			for _, t := range e.Templates {
				if err := l.irises.Add(gallery.Entry{ID: id, Eye: t.Eye, Template: t}); err != nil {
					return nil, fmt.Errorf("list %s, entry %s: %w", all[i].Name, e.ID, err)
				}
			}
		}
	}
	return l, nil
}

// SearchIrises searches the site's gallery and the lists that the agreement
// permits with the best capture of each eye, and commits both answers before it
// returns them. The searches are those of the encounter, newest last.
func (s *Service) SearchIrises(ctx context.Context) ([]kiosk.Search, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.working(); err != nil {
		return nil, err
	}
	r, err := s.rules()
	if err != nil {
		return nil, err
	}
	probe := kiosk.Search{FPIR: r.Agreement.Matching.SearchFPIR}
	var templates []kiosk.Template
	for _, eye := range kiosk.BothEyes {
		if c := s.current.Best(eye); c != nil && c.Template != nil {
			probe.Captures = append(probe.Captures, c.ID)
			templates = append(append(templates, *c.Template), c.Earlier...)
		}
	}
	if probe.Eyes = len(probe.Captures); probe.Eyes == 0 {
		return nil, fmt.Errorf("search: no eye was captured: the result reads \"not searched by iris\"")
	}
	before := len(s.current.Searches)
	site, err := s.searchSite(ctx, probe, templates)
	if err != nil {
		return nil, err
	}
	watch, err := s.searchLists(ctx, &r.Agreement, probe, templates)
	if err != nil {
		return nil, err
	}
	for _, q := range []kiosk.Search{site, watch} {
		if _, err := s.doing(ctx, kiosk.Searched{Search: q}, nil); err != nil {
			return nil, err
		}
	}
	return slices.Clone(s.current.Searches[before:]), nil
}

func (s *Service) searchSite(ctx context.Context, q kiosk.Search, t []kiosk.Template) (kiosk.Search, error) {
	q.Scope = kiosk.ScopeSite
	before := int(s.unread.Load())
	found, err := answer(ctx, s.site, &q, t, nil)
	if err != nil {
		return q, err
	}
	// What could not be read while it was compared was counted as compared.
	damaged := min(int(s.unread.Load())-before, q.Compared)
	q.Compared -= damaged
	q.NotCompared += damaged + before
	q.Total += before
	for _, c := range found {
		k := candidate(c, q.Total)
		k.Kind, k.Encounter = kiosk.CandidateEncounter, kiosk.EncounterID(c.ID)
		q.Candidates = append(q.Candidates, k)
	}
	return q, nil
}

func (s *Service) searchLists(ctx context.Context, a *kiosk.Agreement, q kiosk.Search, t []kiosk.Template) (kiosk.Search, error) {
	q.Scope = kiosk.ScopeLists
	q.Lists = s.searchable(a)
	// Limited before the best are chosen: entries that must not be searched
	// neither count nor take the places of those that must.
	permitted := func(id gallery.ID) bool { _, _, ok := s.permitted(a, id); return ok }
	found, err := answer(ctx, s.lists.irises, &q, t, permitted)
	if err != nil {
		return q, err
	}
	for _, c := range found {
		if k, ok := s.watch(a, c.ID); ok {
			k.By = kiosk.MatchedIris
			k.LogFMR, k.Eyes, k.Strangers = c.LogFMR, len(c.PerEye), policy.Strangers(c.LogFMR, q.Total)
			q.Candidates = append(q.Candidates, k)
		}
	}
	return q, nil
}

// answer runs one search, limited to what only accepts unless it is nil, and
// notes how much of the gallery it saw. A search that was cut short is an answer
// too: an incomplete one.
func answer(ctx context.Context, g *gallery.Gallery, q *kiosk.Search, t []kiosk.Template, only func(gallery.ID) bool) ([]gallery.Candidate, error) {
	a, err := g.Search(ctx, gallery.Probe{Templates: t}, gallery.Options{MaxFMR: q.FPIR, TopK: 50, Only: only, Aslant: true})
	if err != nil && ctx.Err() == nil {
		return nil, fmt.Errorf("search: %w", err)
	}
	q.Compared, q.NotCompared, q.Total, q.Complete = a.Compared, a.NotCompared, a.Total, a.Complete
	return a.Candidates, nil
}

func candidate(c gallery.Candidate, total int) kiosk.Candidate {
	return kiosk.Candidate{By: kiosk.MatchedIris, LogFMR: c.LogFMR, Strangers: policy.Strangers(c.LogFMR, total), Eyes: len(c.PerEye)}
}

// permitted returns a list entry and the rule of its list; false where the
// agreement does not let the list be searched or the entry has ended.
func (s *Service) permitted(a *kiosk.Agreement, id gallery.ID) (*kiosk.WatchlistEntry, kiosk.ListRule, bool) {
	e, ok := s.lists.entries[id]
	if !ok {
		return nil, kiosk.ListRule{}, false
	}
	list, _, _ := strings.Cut(string(id), "/")
	rule, ok := policy.List(a, list)
	if !ok || (!e.Until.IsZero() && s.clock().After(e.Until)) {
		return nil, kiosk.ListRule{}, false
	}
	return e, rule, true
}

// watch describes a list entry for this visit; false where it must not be
// searched.
func (s *Service) watch(a *kiosk.Agreement, id gallery.ID) (kiosk.Candidate, bool) {
	e, rule, ok := s.permitted(a, id)
	if !ok {
		return kiosk.Candidate{}, false
	}
	i := policy.Instruction(e, s.current.Visit)
	return kiosk.Candidate{Kind: kiosk.CandidateWatch, List: rule.List, Entry: e.ID, Instruction: &i, Presentation: rule.Presentation}, true
}

func (s *Service) listAges() []kiosk.ListAge {
	var out []kiosk.ListAge
	for _, l := range s.lists.all {
		out = append(out, kiosk.ListAge{List: l.Name, Version: l.Version, Signed: kiosk.Instant{Time: l.Signed, Trusted: true}})
	}
	return out
}

// searchable is listAges of the lists that the agreement lets be searched.
func (s *Service) searchable(a *kiosk.Agreement) []kiosk.ListAge {
	return slices.DeleteFunc(s.listAges(), func(l kiosk.ListAge) bool { _, ok := policy.List(a, l.List); return !ok })
}

// searchNumber looks a document number up in the lists, exactly, by keyed
// hash.
func (s *Service) searchNumber(a *kiosk.Agreement, number string) kiosk.Search {
	q := kiosk.Search{Scope: kiosk.ScopeLists, Lists: s.searchable(a), Complete: true}
	for _, l := range s.lists.all {
		if _, ok := policy.List(a, l.Name); !ok {
			continue
		}
		hash := policy.DocumentHash(l.HashKey, number)
		for i := range l.Entries {
			e := &l.Entries[i]
			if len(e.Documents) == 0 {
				continue
			}
			q.Total++
			q.Compared++
			if slices.ContainsFunc(e.Documents, func(d []byte) bool { return slices.Equal(d, hash) }) {
				if k, ok := s.watch(a, gallery.ID(l.Name+"/"+e.ID)); ok {
					k.By = kiosk.MatchedDocument
					q.Candidates = append(q.Candidates, k)
				}
			}
		}
	}
	return q
}
