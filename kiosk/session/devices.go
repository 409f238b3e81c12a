package session

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"tambo/devices"
	"tambo/kiosk"
	"tambo/kiosk/capture"
	"tambo/kiosk/document"
	"tambo/kiosk/policy"
	"tambo/kiosk/record"
)

// burst is how many good frames of an eye the best is chosen from.
const burst = 3

// CaptureIrises captures the wanted eyes, or if none is named those that have
// neither a capture nor an exception, until each reaches the agreement's floor.
// An eye that is good is saved at once when the run ends, also when it ends
// because the camera went away: call it again when it is back, and it goes on with
// the other. It returns capture.ErrNotGood when ctx ended first; KeepBelow then
// keeps the best with a reason.
func (s *Service) CaptureIrises(ctx context.Context, progress func(capture.Progress), eyes ...kiosk.Eye) (kiosk.Encounter, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.working(); err != nil {
		return kiosk.Encounter{}, err
	}
	r, err := s.rules()
	if err != nil {
		return *s.current, err
	}
	if !s.current.Permits(kiosk.ModalityIris) {
		return *s.current, fmt.Errorf("irises are not collected of this person by rule")
	}
	if len(eyes) == 0 {
		eyes = s.missingEyes()
	}
	c := capture.NewCollector(eyes, r.Agreement.Floors.Iris, burst)
	c.Adopt(s.irises)
	c.SetAlso(append(s.site.Engines(), s.lists.irises.Engines()...)...)
	s.irises = c
	runErr := s.withCamera(ctx, s.current.Training, func(cam devices.IrisCamera) error {
		s.camera = cam.Info()
		return c.Run(ctx, cam, progress)
	})
	for _, e := range eyes {
		if !c.EyeDone(e) {
			continue
		}
		if _, err := s.keep(ctx, c.Best(e), ""); err != nil {
			return *s.current, err
		}
	}
	return *s.current, runErr
}

// missingEyes are those with neither a capture nor an exception.
func (s *Service) missingEyes() []kiosk.Eye {
	var eyes []kiosk.Eye
	for _, e := range kiosk.BothEyes {
		if s.current.Best(e) == nil && !s.current.Excepted(kiosk.ModalityIris, e) {
			eyes = append(eyes, e)
		}
	}
	return eyes
}

// withCamera opens the iris camera for f. A software device is refused outside
// training.
func (s *Service) withCamera(ctx context.Context, training bool, f func(devices.IrisCamera) error) error {
	cam, err := s.devices.OpenIrisCamera(ctx)
	if err != nil {
		return err
	}
	defer cam.Close()
	if cam.Info().Virtual && !training {
		return ErrVirtual
	}
	return f(cam)
}

// KeepBelow keeps the best frame of an eye although it is below its floor,
// with the officer's reason. A second person will be asked.
func (s *Service) KeepBelow(ctx context.Context, eye kiosk.Eye, reason string) (kiosk.Encounter, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.working(); err != nil {
		return kiosk.Encounter{}, err
	}
	if s.irises == nil || s.irises.Best(eye) == nil {
		return *s.current, fmt.Errorf("no frame of the %s eye was good enough to be kept at all: record an exception", eye)
	}
	return s.keep(ctx, s.irises.Best(eye), reason)
}

// keep saves a shot as a capture, with its masked crop.
func (s *Service) keep(ctx context.Context, shot *capture.Shot, below string) (kiosk.Encounter, error) {
	full, err := capture.PNG(shot.Image)
	if err != nil {
		return *s.current, err
	}
	crop, err := capture.PNG(shot.Crop)
	if err != nil {
		return *s.current, err
	}
	t := shot.Template
	c := kiosk.Capture{
		Modality: kiosk.ModalityIris, Eye: shot.Eye, Part: s.partName("iris-" + shot.Eye.String()),
		Width: shot.Image.Rect.Dx(), Height: shot.Image.Rect.Dy(), At: s.vault.Now(shot.At),
		Quality: shot.Quality, Template: &t, Earlier: shot.Earlier, Below: below, Provenance: provenance(s.camera),
	}
	return s.doing(ctx, kiosk.Captured{Capture: c}, map[string][]byte{c.Part: full, record.CropPart(c.Part): crop})
}

// partName is a name that no part of this encounter had.
func (s *Service) partName(stem string) string {
	return fmt.Sprintf("%s-%d", stem, len(s.current.Events)+1)
}

// Image returns an image of the open encounter: a capture's part, or its masked
// crop (record.CropPart).
func (s *Service) Image(ctx context.Context, part string) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.working(); err != nil {
		return nil, err
	}
	return s.subjects.Image(ctx, s.current.ID, part)
}

func provenance(d devices.Info) kiosk.Provenance {
	return kiosk.Provenance{Device: d.Name, Driver: d.Driver, Port: d.Port, Virtual: d.Virtual}
}

// ErrVirtual refuses a software device outside training.
var ErrVirtual = errors.New("a software device may only be used under a training agreement")

// ScanDocument scans a page, keeps it, reads it, and searches the lists for
// its number. The identity it returns is a proposal: fields that are not certain
// say so, and Identified is refused until somebody looked at them; so it is while
// a field from which the page's print differs has no answer. A page that cannot be
// read is kept all the same; the error says why.
func (s *Service) ScanDocument(ctx context.Context, progress func(received int64)) (kiosk.Identity, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.working(); err != nil {
		return kiosk.Identity{}, err
	}
	r, err := s.rules()
	if err != nil {
		return kiosk.Identity{}, err
	}
	if !s.current.Permits(kiosk.ModalityDocument) {
		return kiosk.Identity{}, fmt.Errorf("a document is not collected of this person by rule")
	}
	sc, err := s.devices.OpenScanner(ctx)
	if err != nil {
		return kiosk.Identity{}, err
	}
	defer sc.Close()
	if sc.Info().Virtual && !s.current.Training {
		return kiosk.Identity{}, ErrVirtual
	}
	p, err := capture.ScanPage(ctx, sc, s.clock(), progress)
	if err != nil {
		return kiosk.Identity{}, err
	}
	// The print is read while the page is saved and its number looked up.
	compared := make(chan map[string]document.Printed, 1)
	limited, cancel := context.WithTimeout(ctx, printTime)
	defer cancel()
	go func() { compared <- p.ComparePrint(limited, s.text) }()
	c := kiosk.Capture{
		Modality: kiosk.ModalityDocument, Part: s.partName("page"), Width: p.Width, Height: p.Height,
		At: s.vault.Now(p.At), Provenance: provenance(sc.Info()),
		Read: p.Unread == nil || errors.Is(p.Unread, capture.ErrNotCertain),
	}
	if _, err := s.doing(ctx, kiosk.Captured{Capture: c}, map[string][]byte{c.Part: p.Encoded}); err != nil {
		return kiosk.Identity{}, err
	}
	id := proposal(p.MRZ)
	s.zone.Store(zoneOf(p))
	if p.MRZ.Accepted {
		if err := s.lookUp(ctx, &r.Agreement, id.DocumentNumber.Value); err != nil {
			return id, err
		}
	}
	takePrint(&id, <-compared)
	return id, p.Unread
}

// printTime is how long an officer waits at the most for the print to be read;
// after that the zone was compared with nothing.
const printTime = 6 * time.Second

// identify looks the number up that the officer confirmed, and every other that
// the document says of itself, unless that very number was looked up already, and
// then saves the identity. Which spelling is chosen decides no search.
func (s *Service) identify(ctx context.Context, ev kiosk.Identified) (kiosk.Encounter, error) {
	r, err := s.rules()
	if err != nil {
		return *s.current, err
	}
	for _, number := range numbers(&ev.Identity) {
		if err := s.lookUp(ctx, &r.Agreement, number); err != nil {
			return *s.current, err
		}
	}
	return s.doing(ctx, ev, nil)
}

// lookUp searches the lists for a document number and commits the answer. Who
// read it, the machine or the officer, makes no difference.
func (s *Service) lookUp(ctx context.Context, a *kiosk.Agreement, number string) error {
	normal := policy.NormalizeDocument(number)
	if s.looked.encounter != s.current.ID {
		s.looked = lookedUp{encounter: s.current.ID}
	}
	if normal == "" || slices.Contains(s.looked.numbers, normal) {
		return nil
	}
	q := s.searchNumber(a, number)
	for _, c := range s.current.Captures {
		if c.Modality == kiosk.ModalityDocument && !c.Cleared {
			q.Captures = []kiosk.CaptureID{c.ID} // the newest page, if there is one
		}
	}
	if _, err := s.doing(ctx, kiosk.Searched{Search: q}, nil); err != nil {
		return err
	}
	s.looked.numbers = append(s.looked.numbers, normal)
	return nil
}

// lookedUp are the numbers that were looked up, and for whom.
type lookedUp struct {
	encounter kiosk.EncounterID
	numbers   []string
}
