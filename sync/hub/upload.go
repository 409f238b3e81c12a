package hub

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"

	"github.com/tus/tusd/v2/pkg/handler"
	xslog "golang.org/x/exp/slog"

	"tambo/sync/wire"
)

// uploads is tusd's handler over the hub's blobs. What tusd does not do by
// itself is done here:
//
//   - The upload id is not tusd's to choose: NewUpload makes it of the client
//     certificate's kiosk and the part's digest, so creating again names the
//     same upload, and the store never truncates it.
//   - tusd reads an upload's offset before it locks it when a creation carries
//     bytes (creation-with-upload); such bytes are not read, and the extension is
//     not announced.
//   - Its way to interrupt an upload is not used; see [locker].
//   - A connection on which an upload failed is closed; see [closing].
//   - Method overriding, downloads and deletion are off.
//   - Offsets that are answered are those of durable bytes.
func (h *Hub) uploads() (http.Handler, error) {
	c := handler.NewStoreComposer()
	c.UseCore(tusStore{h})
	c.UseLocker(newLocker())
	t, err := handler.NewHandler(handler.Config{
		StoreComposer: c, BasePath: wire.RouteUploads, MaxSize: wire.MaxPart, DisableDownload: true, DisableTermination: true,
		Cors: &handler.CorsConfig{Disable: true}, Logger: xslog.New(xslog.NewTextHandler(io.Discard, nil)),
	})
	if err != nil {
		return nil, err
	}
	inner := http.StripPrefix(wire.RouteUploads, t)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Header.Del("X-HTTP-Method-Override")
		switch r.Method {
		case http.MethodOptions:
			w.Header().Set("Tus-Resumable", "1.0.0")
			w.Header().Set("Tus-Version", "1.0.0")
			w.Header().Set("Tus-Extension", "creation")
			w.WriteHeader(http.StatusNoContent)
			return
		case http.MethodPost:
			r.Header.Del("Content-Type")
		}
		r = r.WithContext(context.WithValue(r.Context(), connKey{}, http.NewResponseController(w)))
		inner.ServeHTTP(closing{w}, r)
	}), nil
}

// closing ends the connection after an error. An upload is interrupted, or times
// out, by a read deadline in the past, which leaves net/http's connection with a
// context that has ended: every later request on it would fail.
type closing struct{ http.ResponseWriter }

func (c closing) WriteHeader(status int) {
	if status >= 400 {
		c.Header().Set("Connection", "close")
	}
	c.ResponseWriter.WriteHeader(status)
}

// Unwrap lets http.ResponseController reach the connection.
func (c closing) Unwrap() http.ResponseWriter { return c.ResponseWriter }

// maxDrain is how much of a chunk is read and thrown away so that its sender can
// hear why.
const maxDrain = 16 << 20

type kioskKey struct{}

// tusStore is the hub as tusd's data store.
type tusStore struct{ h *Hub }

var _ handler.DataStore = tusStore{}

// NewUpload makes the upload of a part that a manifest of this kiosk lists, or
// finds it where it stands.
func (s tusStore) NewUpload(ctx context.Context, info handler.FileInfo) (handler.Upload, error) {
	k := ctx.Value(kioskKey{}).(*Kiosk)
	digest := info.MetaData["part"]
	if !wire.IsDigest(digest) {
		return nil, tusError(wire.NewProblem(wire.CodeMessage, "metadata \"part\": want the part's hex SHA-256"))
	}
	u, err := s.find(ctx, wire.UploadID(k.ID, digest))
	if errors.Is(err, ErrNotFound) {
		return nil, tusError(wire.NewProblem(wire.CodeUnlisted, "send the manifest first"))
	}
	if err != nil {
		return nil, tusError(err)
	}
	if info.SizeIsDeferred || info.Size != u.row.Size {
		return nil, tusError(wire.NewProblem(wire.CodeMessage, "the manifest lists the part with %d bytes", u.row.Size))
	}
	if err := s.h.store.Begin(ctx, u.id); err != nil {
		return nil, tusError(err)
	}
	return u, nil
}

// GetUpload finds an upload of this kiosk.
func (s tusStore) GetUpload(ctx context.Context, id string) (handler.Upload, error) {
	k := ctx.Value(kioskKey{}).(*Kiosk)
	owner, _, err := wire.ParseUploadID(id)
	if err != nil || owner != k.ID {
		return nil, tusError(wire.NewProblem(wire.CodeNotYours, "upload"))
	}
	u, err := s.find(ctx, id)
	if err == nil {
		_, _, err = s.h.store.Size(ctx, id)
	}
	if errors.Is(err, ErrNotFound) {
		return nil, tusError(wire.NewProblem(wire.CodeNotYours, "upload"))
	}
	if err != nil {
		return nil, tusError(err)
	}
	return u, nil
}

func (s tusStore) find(ctx context.Context, id string) (*tusUpload, error) {
	u := &tusUpload{h: s.h, id: id}
	err := s.h.store.View(ctx, func(tx Tx) (err error) {
		u.row, err = get[partRow](tx, TableParts, id)
		return err
	})
	return u, err
}

type tusUpload struct {
	h   *Hub
	id  string
	row *partRow
}

func (u *tusUpload) GetInfo(ctx context.Context) (handler.FileInfo, error) {
	size, _, err := u.h.store.Size(ctx, u.id)
	if err != nil {
		return handler.FileInfo{}, tusError(err)
	}
	return handler.FileInfo{ID: u.id, Size: u.row.Size, Offset: size}, nil
}

func (u *tusUpload) WriteChunk(ctx context.Context, offset int64, src io.Reader) (int64, error) {
	n, err := u.h.store.Append(ctx, u.id, offset, io.LimitReader(src, u.row.Size-offset))
	if err != nil {
		// A client that is still sending would see a reset instead of the answer.
		io.Copy(io.Discard, io.LimitReader(src, maxDrain))
		return n, tusError(err)
	}
	return n, nil
}

func (u *tusUpload) GetReader(context.Context) (io.ReadCloser, error) {
	return nil, tusError(wire.NewProblem(wire.CodeRoute, "parts are not given back"))
}

// FinishUpload verifies the part and brings its package as far as it goes, so
// that a kiosk that never asks again has still delivered.
func (u *tusUpload) FinishUpload(ctx context.Context) error {
	if err := u.h.store.Commit(ctx, u.id, u.row.Digest); err != nil {
		return tusError(err)
	}
	if _, _, err := u.h.advance(ctx, u.row.Package); err != nil {
		u.h.log.Error("a part arrived, but its package could not be advanced", "manifest", u.row.Package, "error", err)
	}
	return nil
}

// tusError gives tusd an error whose answer is a problem of ours.
func tusError(err error) error {
	p := problemOf(err)
	body, merr := json.Marshal(p)
	if merr != nil {
		return merr
	}
	e := handler.NewError(string(p.Code), p.Error(), p.Status)
	e.HTTPResponse.Body = string(body)
	e.HTTPResponse.Header = handler.HTTPHeader{"Content-Type": wire.TypeProblem}
	return e
}
