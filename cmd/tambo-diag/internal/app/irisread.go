package app

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/gob"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"tambo/kiosk"
	"tambo/kiosk/iris"
	"tambo/kiosk/specimen/eye"
)

// irisRead is what the engine made of one image; it is what the cache keeps.
type irisRead struct {
	Result iris.Result
	Width  int
	Height int
	MS     float64 // time of the extraction
	Err    string  // why there is no template, or empty
}

// irisCache keeps what was extracted from files, or nothing where dir is
// empty. A name is the digest of the engine's version, of the templates that
// the engine at hand makes of three generated eyes (so that an engine at work
// between two versions never meets its former self) and of the image file.
type irisCache struct {
	dir string
	key [sha256.Size]byte
}

func openIrisCache(dir string) (*irisCache, error) {
	c := &irisCache{dir: dir}
	if dir == "" {
		return c, nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("iris: make the cache: %w", err)
	}
	h := sha256.New()
	io.WriteString(h, iris.EngineVersion)
	engine := iris.New()
	for n := range uint64(3) {
		cond := eye.Ordinary()
		cond.UpperLid -= 0.2 * float64(n)
		r, err := engine.Process(eye.Draw(eye.NewPerson(n), kiosk.EyeRight, cond, 0, 0), kiosk.EyeRight)
		fmt.Fprintf(h, "%x %v %+v %+v", r.Template.Data, err, r.Quality, r.Segmentation)
	}
	h.Sum(c.key[:0])
	return c, nil
}

func (c *irisCache) name(file []byte) string {
	h := sha256.New()
	h.Write(c.key[:])
	h.Write(file)
	return filepath.Join(c.dir, hex.EncodeToString(h.Sum(nil)[:16])+".eye")
}

func (c *irisCache) get(name string) (*irisRead, bool) {
	b, err := os.ReadFile(name)
	if err != nil {
		return nil, false
	}
	r := &irisRead{}
	if gob.NewDecoder(bytes.NewReader(b)).Decode(r) != nil {
		return nil, false // torn: made again
	}
	return r, true
}

func (c *irisCache) put(name string, r *irisRead) error {
	var b bytes.Buffer
	if err := gob.NewEncoder(&b).Encode(r); err != nil {
		return err
	}
	return os.WriteFile(name, b.Bytes(), 0o600)
}

// read returns what engine makes of the file, from the cache where it is there.
func (c *irisCache) read(engine *iris.Engine, file string) (*irisRead, error) {
	name := ""
	if c.dir != "" {
		b, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		name = c.name(b)
		if r, ok := c.get(name); ok {
			return r, nil
		}
	}
	img, err := readGray(file)
	if err != nil {
		return nil, err
	}
	r := &irisRead{Width: img.Rect.Dx(), Height: img.Rect.Dy()}
	start := time.Now()
	r.Result, err = engine.Process(img, kiosk.EyeUnknown)
	r.MS = float64(time.Since(start).Microseconds()) / 1000
	if err != nil {
		r.Err = err.Error()
	}
	if name != "" {
		if err := c.put(name, r); err != nil {
			return nil, fmt.Errorf("iris: write the cache: %w", err)
		}
	}
	return r, nil
}

// irisSet is a set with what was read from it.
type irisSet struct {
	*irisIndex
	reads []*irisRead // nil where the file cannot be read
	codes []*iris.Decoded
}

// readIrisSet reads every image of an index. What is wrong with a single image
// is said in the log and is not an error; that none gives a template is.
func readIrisSet(ctx context.Context, index string, cache *irisCache, log *slog.Logger, bar *progress) (*irisSet, error) {
	x, err := readIrisIndex(index)
	if err != nil {
		return nil, err
	}
	s := &irisSet{irisIndex: x, reads: make([]*irisRead, len(x.paths)), codes: make([]*iris.Decoded, len(x.paths))}
	engine := iris.New()
	have := false
	bar.begin("reading", len(x.paths))
	for i, p := range x.paths {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		r, err := cache.read(engine, p)
		bar.step()
		if err != nil {
			bar.clear()
			log.Warn("image cannot be read", "row", i+1, "err", err)
			continue
		}
		s.reads[i] = r
		if err = errors.New(r.Err); r.Err == "" {
			s.codes[i], err = iris.Decode(r.Result.Template)
		}
		if err != nil {
			bar.clear()
			log.Warn("no template", "row", i+1, "err", err)
			continue
		}
		have = true
	}
	bar.end()
	if !have {
		return nil, fmt.Errorf("iris: none of the %d images of %s gave a template, so there is nothing to compare; what was wrong with each is said above", len(x.paths), index)
	}
	return s, nil
}

// quality is the score of each image, −1 where there is no template.
func (s *irisSet) quality() []float64 {
	q := make([]float64, len(s.reads))
	for i := range q {
		q[i] = -1
		if s.codes[i] != nil {
			q[i] = s.reads[i].Result.Quality.Score
		}
	}
	return q
}
