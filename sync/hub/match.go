package hub

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"time"

	"tambo/kiosk"
	"tambo/kiosk/policy"
	"tambo/kiosk/record"
	"tambo/store/seal"
	"tambo/sync/wire"
)

// Match is the answer of a match job, kept beside its package.
type Match struct {
	Search kiosk.Search `json:"search"` // the hub's gallery
	Lists  kiosk.Search `json:"lists"`  // the watchlists that the agreement permits
	Alerts []string     `json:"alerts,omitempty"`
}

// maxCandidates bounds the alerts of one package.
const maxCandidates = 10

// retryJob is the wait after a job that failed for want of something that may
// come back; it doubles up to an hour.
const retryJob = 5 * time.Second

// addJob makes the match job of a package that has templates. Packages with a
// hit come first: their keys sort before all others.
func addJob(tx Tx, m *metaHub, p *Package) error {
	if templates(&p.Manifest) == nil {
		return nil
	}
	class := "1"
	if p.Manifest.Hit {
		class = "0"
	}
	m.Jobs++
	return put(tx, TableJobs, class+"-"+number(int64(m.Jobs)), jobRow{Package: p.Digest})
}

func templates(m *kiosk.Manifest) *kiosk.Part {
	for i := range m.Parts {
		if m.Parts[i].Kind == kiosk.PartTemplates {
			return &m.Parts[i]
		}
	}
	return nil
}

func (h *Hub) wakeUp() {
	select {
	case h.wake <- struct{}{}:
	default:
	}
}

// Run carries out match jobs until ctx ends. Jobs outlive the process: those
// that an earlier one left are done first.
func (h *Hub) Run(ctx context.Context) error {
	for {
		wait, err := h.work(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			h.log.Error("matching stopped for a while", "error", err)
			wait = retryJob
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-h.wake:
			timer.Stop()
		case <-timer.C:
		}
	}
}

// work does every job that is due, and says when to look again.
func (h *Hub) work(ctx context.Context) (time.Duration, error) {
	for {
		key, job, wait, err := h.nextJob(ctx)
		if err != nil || job == nil {
			return wait, err
		}
		err = h.match(ctx, key, job)
		if err == nil {
			continue
		}
		if ctx.Err() != nil {
			return 0, ctx.Err()
		}
		h.log.Error("a match could not be made yet", "manifest", job.Package, "attempt", job.Attempts+1, "error", err)
		if err := h.postpone(ctx, key, job); err != nil {
			return 0, err
		}
	}
}

// nextJob returns the first job that is due, or how long until one is.
func (h *Hub) nextJob(ctx context.Context) (key string, job *jobRow, wait time.Duration, err error) {
	now := h.now()
	wait = time.Hour
	err = h.store.View(ctx, func(tx Tx) error {
		return scan(tx, TableJobs, "", func(k string, j *jobRow) error {
			if d := j.After.Sub(now); d > 0 {
				wait = min(wait, d)
				return nil
			}
			key, job = k, j
			return ErrStop
		})
	})
	return key, job, wait, err
}

func (h *Hub) postpone(ctx context.Context, key string, job *jobRow) error {
	job.Attempts++
	job.After = h.now().Add(min(time.Hour, retryJob<<min(job.Attempts-1, 10)))
	return h.store.Update(ctx, func(tx Tx) error { return put(tx, TableJobs, key, job) })
}

// match carries out one job: open the templates, search, raise alerts, add to
// the gallery. Its whole effect is one transaction that also removes the job.
func (h *Hub) match(ctx context.Context, key string, job *jobRow) error {
	if err := h.loadGallery(ctx); err != nil {
		return err
	}
	p, err := h.pack(ctx, job.Package)
	if err != nil {
		return err
	}
	probe, err := h.openTemplates(ctx, p)
	if errors.Is(err, seal.ErrSealed) || errors.Is(err, record.ErrFormat) {
		return h.unmatched(ctx, key, p, err)
	}
	if err != nil {
		return err
	}
	var a *kiosk.Agreement
	if err := h.store.View(ctx, func(tx Tx) error {
		a, err = agreement(tx, h.keys, p.Manifest.Agreement)
		return err
	}); err != nil {
		return err
	}
	m, err := h.searchAll(ctx, a, p, probe)
	if err != nil {
		return err
	}
	added := false
	err = h.store.Update(ctx, func(tx Tx) error {
		added = false
		if _, err := tx.Get(TableJobs, key); errors.Is(err, ErrNotFound) {
			return nil // done already
		}
		m.Alerts = nil
		for _, c := range append(append([]kiosk.Candidate{}, m.Lists.Candidates...), m.Search.Candidates...) {
			id, err := h.raise(tx, p, c)
			if err != nil {
				return err
			}
			m.Alerts = append(m.Alerts, id)
		}
		if isRecord(p) && len(probe.Templates) > 0 {
			added = true
			row := galleryRow{p.Manifest.Kiosk, p.Manifest.Encounter, probe.Templates, h.now().UTC()}
			if err := put(tx, TableGallery, string(p.Manifest.Encounter), row); err != nil {
				return err
			}
		}
		if err := put(tx, TableMatches, p.Digest, m); err != nil {
			return err
		}
		return tx.Delete(TableJobs, key)
	})
	if err != nil {
		return err
	}
	if added {
		h.search.remove(scopeGallery, string(p.Manifest.Encounter))
		h.search.add(scopeGallery, string(p.Manifest.Encounter), probe.Templates)
	}
	h.log.Info("matched", "manifest", p.Digest, "compared", m.Search.Compared, "complete", m.Search.Complete && m.Lists.Complete, "alerts", len(m.Alerts))
	return nil
}

// unmatched ends a job whose part does not open or is not what it should be.
// The package stays; the keeper sees why it was not searched.
func (h *Hub) unmatched(ctx context.Context, key string, p *Package, why error) error {
	h.log.Error("templates part cannot be used; this package was not searched", "manifest", p.Digest, "error", why)
	return h.store.Update(ctx, func(tx Tx) error {
		p, err := get[Package](tx, TablePackages, p.Digest)
		if err != nil {
			return err
		}
		p.Remarks = append(p.Remarks, "not searched: "+why.Error())
		if err := put(tx, TablePackages, p.Digest, p); err != nil {
			return err
		}
		return tx.Delete(TableJobs, key)
	})
}

// openTemplates opens the templates part with the matcher's key. Errors of the
// part itself wrap [seal.ErrSealed] or [record.ErrFormat].
func (h *Hub) openTemplates(ctx context.Context, p *Package) (t kiosk.TemplatesPart, err error) {
	part := templates(&p.Manifest)
	r, err := h.store.Open(ctx, wire.UploadID(p.Manifest.Kiosk, part.Digest))
	if err != nil {
		return t, err
	}
	defer r.Close()
	private := h.keys.Private[part.KeyID]
	if private == nil {
		return t, fmt.Errorf("the matcher's key %s is not here: put it into keys.json", part.KeyID)
	}
	b := seal.Binding{Kiosk: p.Manifest.Kiosk, Encounter: p.Manifest.Encounter, Agreement: p.Manifest.Agreement, KeyID: part.KeyID, Part: part.Name}
	if part.Size > 2*record.MaxPart {
		return t, fmt.Errorf("%w: templates part of %d bytes", record.ErrFormat, part.Size)
	}
	var plain bytes.Buffer
	if err := seal.Open(&plain, r, private, b, ed25519.PublicKey(p.Key)); err != nil {
		return t, err
	}
	return record.ParseTemplates(plain.Bytes())
}

// searchAll searches the gallery and the permitted lists.
func (h *Hub) searchAll(ctx context.Context, a *kiosk.Agreement, p *Package, t kiosk.TemplatesPart) (*Match, error) {
	at := kiosk.Instant{Time: h.now().UTC(), Trusted: true}
	fpir := a.Matching.SearchFPIR
	m := &Match{
		Search: kiosk.Search{ID: 1, Scope: kiosk.ScopeHub, FPIR: fpir, At: at, Complete: true},
		Lists:  kiosk.Search{ID: 2, Scope: kiosk.ScopeLists, FPIR: fpir, At: at, Complete: true},
	}
	if err := h.searchOne(ctx, scopeGallery, t, &m.Search, func(c kiosk.Candidate, id string) (kiosk.Candidate, bool) {
		c.Kind, c.Encounter = kiosk.CandidateEncounter, kiosk.EncounterID(id)
		return c, c.Encounter != p.Manifest.Encounter
	}); err != nil {
		return nil, err
	}
	for _, rule := range a.Lists {
		if err := h.searchOne(ctx, scopeList(rule.List), t, &m.Lists, func(c kiosk.Candidate, id string) (kiosk.Candidate, bool) {
			c.Kind, c.List, c.Entry, c.Presentation = kiosk.CandidateWatch, rule.List, id, rule.Presentation
			e, err := h.entry(ctx, rule.List, id)
			if err != nil {
				return c, false // withdrawn meanwhile
			}
			if !e.Until.IsZero() && h.now().After(e.Until) {
				return c, false
			}
			i := policy.Instruction(e, t.Visit)
			c.Instruction = &i
			return c, true
		}); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// searchOne adds one search's answer to s. keep turns a candidate into the
// vocabulary's, or drops it.
func (h *Hub) searchOne(ctx context.Context, scope string, t kiosk.TemplatesPart, s *kiosk.Search, keep func(kiosk.Candidate, string) (kiosk.Candidate, bool)) error {
	if len(t.Templates) == 0 {
		s.Complete = false // not searched by iris is never "no match"
		return nil
	}
	a, err := h.search.find(ctx, scope, t.Templates, s.FPIR)
	if err != nil {
		return err
	}
	s.Compared, s.NotCompared, s.Total = s.Compared+a.Compared, s.NotCompared+a.NotCompared, s.Total+a.Total
	s.Complete = s.Complete && a.Complete
	s.Eyes = max(s.Eyes, len(t.Templates))
	for _, x := range a.Candidates {
		c := kiosk.Candidate{By: kiosk.MatchedIris, LogFMR: x.LogFMR, Strangers: policy.Strangers(x.LogFMR, a.Total), Eyes: len(x.PerEye)}
		if c, ok := keep(c, string(x.ID)); ok && len(s.Candidates) < maxCandidates {
			s.Candidates = append(s.Candidates, c)
		}
	}
	return nil
}
