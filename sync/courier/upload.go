package courier

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"

	"tambo/kiosk"
	"tambo/sync/wire"
)

// errAskAgain says that the hub should be asked where the upload stands.
var errAskAgain = errors.New("the upload stands elsewhere")

// upload sends what is missing of a part, from where the hub says it stands.
// It returns how many bytes the hub acknowledged as durable.
func (r *rounder) upload(ctx context.Context, it *Item, part kiosk.Part, m wire.Missing) (sent int64, err error) {
	if !m.Begun {
		if err := r.create(ctx, part); err != nil {
			return 0, err
		}
	}
	src, _, err := r.c.c.Vault.SealedPart(it.ID, part.Name)
	if err != nil {
		return 0, inVault(err)
	}
	defer src.Close()
	if _, err := src.Seek(m.Offset, io.SeekStart); err != nil {
		return 0, inVault(err)
	}
	for at := m.Offset; at < part.Size; {
		n, err := r.patch(ctx, m.Upload, src, at, min(r.c.c.Chunk, part.Size-at))
		sent += n
		at += n
		r.rep.Bytes += n
		if err != nil {
			return sent, err
		}
	}
	return sent, nil
}

// create begins an upload (tus creation). Beginning again is harmless.
func (r *rounder) create(ctx context.Context, part kiosk.Part) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.url(wire.RouteUploads), nil)
	if err != nil {
		return err
	}
	req.Header.Set("Tus-Resumable", "1.0.0")
	req.Header.Set("Upload-Length", strconv.FormatInt(part.Size, 10))
	req.Header.Set("Upload-Metadata", "part "+base64.StdEncoding.EncodeToString([]byte(part.Digest)))
	again(req)
	resp, err := r.http.Do(req)
	if err != nil {
		return err
	}
	defer drain(resp.Body)
	if resp.StatusCode != http.StatusCreated {
		return problem(resp)
	}
	return nil
}

// patch sends one chunk (tus core) and returns how many bytes of it the hub has
// made durable.
func (r *rounder) patch(ctx context.Context, upload string, src io.Reader, at, n int64) (int64, error) {
	body := &counted{r: io.LimitReader(src, n)}
	req, err := http.NewRequestWithContext(ctx, http.MethodPatch, r.url(wire.RouteUploads+upload), body)
	if err != nil {
		return 0, err
	}
	req.ContentLength = n
	req.Header.Set("Tus-Resumable", "1.0.0")
	req.Header.Set("Content-Type", wire.TypeChunk)
	req.Header.Set("Upload-Offset", strconv.FormatInt(at, 10))
	resp, err := r.http.Do(req)
	if body.err != nil { // the vault's reader failed, not the road
		return 0, inVault(body.err)
	}
	if err != nil {
		if body.n < n && body.ended {
			return 0, inVault(fmt.Errorf("%w: a part is shorter than its manifest says", ErrDamaged))
		}
		return 0, err
	}
	defer drain(resp.Body)
	if resp.StatusCode != http.StatusNoContent {
		return 0, problem(resp)
	}
	now, err := strconv.ParseInt(resp.Header.Get("Upload-Offset"), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%w: no offset after a chunk", ErrAnswer)
	}
	if now != at+n {
		return 0, errAskAgain
	}
	return n, nil
}

// counted counts what is read, and keeps the source's own error.
type counted struct {
	r     io.Reader
	n     int64
	ended bool
	err   error
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	if err == io.EOF {
		c.ended = true
	} else if err != nil {
		c.err = err
	}
	return n, err
}

// whole reports ErrDamaged unless a part in the outbox is what its manifest
// says: the question when the hub says that it is not.
func (r *rounder) whole(it *Item, part kiosk.Part) error {
	src, _, err := r.c.c.Vault.SealedPart(it.ID, part.Name)
	if err != nil {
		return inVault(err)
	}
	defer src.Close()
	h := sha256.New()
	n, err := io.Copy(h, src)
	if err != nil {
		return inVault(err)
	}
	if n != part.Size || hex.EncodeToString(h.Sum(nil)) != part.Digest {
		return inVault(fmt.Errorf("%w: part %s of encounter %s", ErrDamaged, part.Name, it.Encounter))
	}
	return nil
}
