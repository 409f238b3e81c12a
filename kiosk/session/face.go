package session

import (
	"context"
	"fmt"

	"tambo/devices"
	"tambo/kiosk"
	"tambo/kiosk/capture"
	"tambo/kiosk/record"
)

// photoBurst is how many good frames in a row the photo is chosen from.
const photoBurst = 4

// FaceProgress is what a running face photo reports after every frame.
type FaceProgress = capture.FaceProgress

// Photo is a picture that the face camera showed, and what it is worth.
type Photo = capture.Photo

// CaptureFace takes a face photo as soon as it reaches the agreement's floor and
// the person sits still, and saves it. It returns capture.ErrNotGood when ctx ended
// first; KeepFace then keeps what the officer chooses. When the camera went away,
// call it again when it is back.
func (s *Service) CaptureFace(ctx context.Context, progress func(FaceProgress)) (kiosk.Encounter, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.working(); err != nil {
		return kiosk.Encounter{}, err
	}
	r, err := s.rules()
	if err != nil {
		return *s.current, err
	}
	if !s.current.Permits(kiosk.ModalityFace) {
		return *s.current, fmt.Errorf("a face photo is not taken of this person by rule")
	}
	cam, err := s.devices.OpenFaceCamera(ctx)
	if err != nil {
		return *s.current, err
	}
	defer cam.Close()
	if cam.Info().Virtual && !s.current.Training {
		return *s.current, ErrVirtual
	}
	s.photo = &photo{FaceCollector: capture.NewFaceCollector(r.Agreement.Floors.Face, photoBurst), camera: cam.Info()}
	if err := s.photo.Run(ctx, cam, progress); err != nil {
		return *s.current, err
	}
	return s.keepPhoto(ctx, s.photo.Best(), "")
}

// PortraitPart is the name under which Image finds the portrait cut out of a face
// photo.
func PortraitPart(part string) string { return record.CropPart(part) }

// photo is the face photo in the making, of the current encounter.
type photo struct {
	*capture.FaceCollector
	camera devices.Info
}

// KeepFace keeps a photo by hand: the newest frame, as it was when the last
// CaptureFace ended, or the best that it saw. A photo below its floor is refused
// without a reason, and a second person will be asked.
func (s *Service) KeepFace(ctx context.Context, newest bool, reason string) (kiosk.Encounter, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.working(); err != nil {
		return kiosk.Encounter{}, err
	}
	p, ok := s.taken(newest)
	if !ok {
		return *s.current, fmt.Errorf("no picture has come from the camera yet: wait for it, or record an exception")
	}
	if p.Quality.Score >= p.Quality.Floor {
		reason = ""
	}
	return s.keepPhoto(ctx, p, reason)
}

// TakenFace is the picture that KeepFace would keep, for the officer to see
// before they do; false if there is none.
func (s *Service) TakenFace(newest bool) (Photo, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, ok := s.taken(newest)
	if !ok {
		return Photo{}, false
	}
	return *p, true
}

func (s *Service) taken(newest bool) (*capture.Photo, bool) {
	if s.photo == nil {
		return nil, false
	}
	p := s.photo.Best()
	if newest || p == nil {
		p = s.photo.Newest()
	}
	return p, p != nil
}

// keepPhoto saves a photo as a capture, with the portrait cut out of it, and
// forgets what else the camera showed.
func (s *Service) keepPhoto(ctx context.Context, p *capture.Photo, below string) (kiosk.Encounter, error) {
	whole, portrait, err := p.JPEG()
	if err != nil {
		return *s.current, err
	}
	size := p.Frame.Image.Rect
	c := kiosk.Capture{
		Modality: kiosk.ModalityFace, Part: s.partName("face"), Width: size.Dx(), Height: size.Dy(), At: s.vault.Now(p.Frame.At),
		Quality: p.Quality, Below: below, Provenance: provenance(s.photo.camera),
	}
	e, err := s.doing(ctx, kiosk.Captured{Capture: c}, map[string][]byte{c.Part: whole, record.CropPart(c.Part): portrait})
	if err == nil {
		s.photo = nil
	}
	return e, err
}
