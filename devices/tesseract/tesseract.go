package tesseract

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"tambo/devices"
	"tambo/kiosk"
)

// Bounds of one reading.
const (
	limit     = 5 * time.Second // for one picture, unless the context ends sooner
	grace     = time.Second     // from the kill until its pipes are given up
	maxOutput = 1 << 20         // bytes of words
	maxPixels = 16 << 20        // a page at 300 dpi has 1.5 million
)

// Program is an installed tesseract. Safe for concurrent use: each reading is a
// process of its own, on one thread.
type Program struct {
	path string
	// Limit is how long one picture may take; Find sets five seconds.
	Limit time.Duration

	mu       sync.Mutex
	language string // that pages are read with; empty until the program was asked
}

var _ devices.TextReader = (*Program)(nil)

// folders are where the program is looked for. A kiosk's PATH is not asked: who
// can change it should not choose what is shown a page.
var folders = []string{"/usr/bin", "/usr/local/bin"}

// Find returns the installed program; devices.ErrUnsupported where there is none.
func Find() (*Program, error) {
	for _, f := range folders {
		path := filepath.Join(f, "tesseract")
		if st, err := os.Stat(path); err == nil && st.Mode().IsRegular() && st.Mode()&0o111 != 0 {
			return &Program{path: path, Limit: limit}, nil
		}
	}
	return nil, fail("find the program", devices.ErrUnsupported, errors.New("tesseract is not installed"))
}

// Reader is Find for who goes on without: nil where there is none.
func Reader() devices.TextReader {
	if p, err := Find(); err == nil {
		return p
	}
	return nil
}

// with is the language that pages are read with. devices.ErrUnsupported where the
// program has data for none that will do.
func (p *Program) with(ctx context.Context) (string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.language != "" {
		return p.language, nil
	}
	out, err := p.run(ctx, nil, "--list-langs")
	if err != nil {
		return "", err
	}
	if p.language = choose(string(out)); p.language == "" {
		return "", fail("find its languages", devices.ErrUnsupported, errors.New("tesseract has neither eng nor spa"))
	}
	return p.language, nil
}

// choose takes, of a list of languages, the one that a page is read with: spa
// knows the letters with a diacritic that eng drops, and one takes half the time
// of two.
func choose(list string) string {
	have := strings.Fields(list)
	for _, l := range []string{"spa", "eng"} {
		if slices.Contains(have, l) {
			return l
		}
	}
	return ""
}

// ReadText implements [devices.TextReader].
func (p *Program) ReadText(ctx context.Context, img *image.Gray) ([]kiosk.Word, error) {
	in, err := encode(img)
	if err != nil {
		return nil, err
	}
	language, err := p.with(ctx)
	if err != nil {
		return nil, err
	}
	out, err := p.run(ctx, in, "stdin", "stdout", "-l", language, "--psm", "11", "--dpi", "300", "-c", "tessedit_create_tsv=1")
	if err != nil {
		return nil, err
	}
	words, err := decode(out, img.Rect.Size())
	if err != nil {
		return nil, fail("decode the words", devices.ErrBadData, err)
	}
	for i := range words {
		words[i].Box = words[i].Box.Add(img.Rect.Min)
	}
	return words, nil
}

// encode writes a picture as PGM, which costs nothing.
func encode(img *image.Gray) ([]byte, error) {
	if img == nil || img.Rect.Empty() || img.Rect.Dx() > maxPixels/img.Rect.Dy() {
		return nil, fail("take the picture", devices.ErrUnsupported, errors.New("no picture, or one that is too large"))
	}
	w, h := img.Rect.Dx(), img.Rect.Dy()
	b := make([]byte, 0, w*h+32)
	b = append(b, "P5\n"+strconv.Itoa(w)+" "+strconv.Itoa(h)+"\n255\n"...)
	for y := range h {
		b = append(b, img.Pix[y*img.Stride:][:w]...)
	}
	return b, nil
}

// run runs the program once. When the time is over it is killed, with whatever
// it started.
func (p *Program) run(ctx context.Context, in []byte, args ...string) ([]byte, error) {
	mine, cancel := context.WithTimeout(ctx, p.Limit)
	defer cancel()
	out := &bounded{most: maxOutput, stop: cancel}
	cmd := exec.CommandContext(mine, p.path, args...)
	cmd.Env = []string{"OMP_THREAD_LIMIT=1", "LC_ALL=C.UTF-8", "PATH=/usr/bin:/bin"}
	cmd.Dir = "/"
	cmd.Stdin, cmd.Stdout = bytes.NewReader(in), out
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = grace
	err := cmd.Run()
	switch {
	case out.over:
		return nil, fail("read print", devices.ErrBadData, fmt.Errorf("more than %d bytes of words", maxOutput))
	case ctx.Err() != nil:
		return nil, fail("read print", devices.ErrStalled, ctx.Err())
	case mine.Err() != nil:
		return nil, fail("read print", devices.ErrStalled, fmt.Errorf("not done within %v", p.Limit))
	case err != nil:
		return nil, fail("run the program", devices.ErrGone, err)
	}
	return out.kept.Bytes(), nil
}

func fail(op string, kind, err error) error {
	return &devices.Error{Device: "tesseract", Op: op, Kind: kind, Err: err}
}

// bounded keeps what is written up to a length, and then refuses. The buffer is
// not embedded: its ReadFrom would go round the bound.
type bounded struct {
	kept bytes.Buffer
	most int
	over bool
	stop func() // ends whoever writes
}

func (b *bounded) Write(p []byte) (int, error) {
	if b.kept.Len()+len(p) > b.most {
		b.over = true
		b.stop()
		return 0, errors.New("too much")
	}
	return b.kept.Write(p)
}
