package app

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"image"
	"image/color"
	_ "image/gif"  // formats that pages come in
	_ "image/jpeg" //
	_ "image/png"  //
	"io"
	"os"
	"strings"
	"syscall"
	"time"

	_ "golang.org/x/image/bmp"  // formats that pages come in
	_ "golang.org/x/image/tiff" //

	"tambo/devices"
	"tambo/devices/tesseract"
	"tambo/kiosk"
	"tambo/kiosk/capture"
	"tambo/kiosk/document"
)

// mostPagePixels is the largest picture that is decoded, and mostPageBytes the
// most memory that its pixels may take: 16 bits a channel take twice as much.
const (
	mostPagePixels = 120_000_000
	mostPageBytes  = 4 * mostPagePixels
)

// MRZ carries out "mrz read [--json] [--compare] FILE…": it reads the
// machine-readable zone of each picture and prints, with --json, one JSON object a
// line:
//
//	file, type, lines, fields, checks, accepted, ms
//
// and with --compare, where a reader of print is installed, compare: how the
// page's print stands to each field ("agrees", "differs", "not found").
//
// and error where the file could not be read; then the command ends with an
// error once every file was tried. A zone that was read but is not accepted is
// no error. ms is the time of finding and reading, without decoding the file.
//
// The output holds personal data and goes to stdout only.
func MRZ(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	if len(args) == 0 || args[0] != "read" {
		return wrongUse("want: mrz read [--json] [--compare] FILE…")
	}
	fs := flag.NewFlagSet("mrz read", flag.ContinueOnError)
	fs.SetOutput(stderr)
	asJSON := fs.Bool("json", false, "print one JSON object a line")
	compare := fs.Bool("compare", false, "compare the zone with the page's print (needs tesseract)")
	if err := parse(fs, args[1:]); err != nil {
		return err
	}
	if fs.NArg() == 0 {
		return wrongUse("name at least one picture of a page")
	}
	var reader devices.TextReader
	if *compare {
		if reader = tesseract.Reader(); reader == nil {
			return errors.New("mrz read: nothing here reads print: install tesseract-ocr, or leave out --compare")
		}
	}
	failed := 0
	for _, file := range fs.Args() {
		res, err := readPage(ctx, file, reader)
		if ctx.Err() != nil {
			return fmt.Errorf("mrz read: %w", ctx.Err())
		}
		if err != nil {
			failed++
		}
		if err := res.print(stdout, *asJSON); err != nil {
			return fmt.Errorf("mrz read: write the result: %w", err)
		}
	}
	if failed > 0 {
		return fmt.Errorf("mrz read: %d of %d files could not be read", failed, fs.NArg())
	}
	return nil
}

// mrzLine is one line of output.
type mrzLine struct {
	File     string              `json:"file"`
	Type     document.Type       `json:"type"`
	Lines    []string            `json:"lines"`
	Fields   map[string]mrzField `json:"fields"`
	Checks   []mrzCheck          `json:"checks"`
	Accepted bool                `json:"accepted"`
	MS       float64             `json:"ms"`
	Error    string              `json:"error,omitempty"`

	Compare map[string]mrzCompare `json:"compare,omitempty"`

	order []document.Named
}

type mrzCompare struct {
	Standing kiosk.PrintStanding `json:"standing"`
	Printed  string              `json:"printed,omitempty"` // where it is not what the zone says
}

type mrzField struct {
	Value  string `json:"value"`
	Raw    string `json:"raw"`
	Status string `json:"status"`
	Note   string `json:"note,omitempty"`
}

type mrzCheck struct {
	Name     string `json:"name"`
	Digit    string `json:"digit"`
	Computed string `json:"computed"`
	OK       bool   `json:"ok"`
}

// readPage reads one file, and its print where there is a reader. The line says
// what went wrong too.
func readPage(ctx context.Context, file string, reader devices.TextReader) (mrzLine, error) {
	out := mrzLine{File: file, Lines: []string{}, Fields: map[string]mrzField{}, Checks: []mrzCheck{}}
	img, err := decodePage(file)
	if err != nil {
		out.Error = err.Error()
		return out, err
	}
	start := time.Now()
	m, err := document.Read(ctx, img, start)
	out.MS = float64(time.Since(start).Microseconds()) / 1000
	if err != nil {
		out.Error = err.Error()
	}
	if len(m.Lines) == 0 {
		return out, err
	}
	out.Type, out.Lines, out.Accepted, out.order = m.Type, m.Lines, m.Accepted, m.List()
	for _, f := range out.order {
		out.Fields[f.Name] = mrzField{f.Value, f.Raw, string(f.Status), f.Note}
	}
	for _, c := range m.Checks {
		out.Checks = append(out.Checks, mrzCheck{c.Name, string(c.Digit), string(c.Computed), c.OK})
	}
	if reader != nil {
		p := capture.Page{MRZ: m, Print: document.Print(img, m)}
		for name, x := range p.ComparePrint(ctx, reader) {
			if out.Compare == nil {
				out.Compare = map[string]mrzCompare{}
			}
			out.Compare[name] = mrzCompare{x.Standing, x.Value}
		}
	}
	return out, err
}

// decodePage reads a picture file after a look at its size.
func decodePage(file string) (image.Image, error) {
	// A pipe without a writer must not be waited for.
	f, err := os.OpenFile(file, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("open the picture: %w", err)
	}
	defer f.Close() //nolint:errcheck // read only
	if st, err := f.Stat(); err != nil {
		return nil, fmt.Errorf("open the picture: %w", err)
	} else if !st.Mode().IsRegular() {
		return nil, errNoFile
	}
	cfg, _, err := image.DecodeConfig(f)
	if err != nil {
		return nil, fmt.Errorf("decode the picture (PNG, JPEG, BMP, TIFF and GIF are read): %w", err)
	}
	if cfg.Width <= 0 || cfg.Height <= 0 || cfg.Width > mostPagePixels/cfg.Height {
		return nil, document.ErrTooLarge
	}
	if cfg.Width*cfg.Height > mostPageBytes/pixelBytes(cfg.ColorModel) {
		return nil, fmt.Errorf("%w: decoded, %d×%d pixels of this depth take more than %d MB", document.ErrTooLarge, cfg.Width, cfg.Height, mostPageBytes/1_000_000)
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return nil, fmt.Errorf("read the picture again: %w", err)
	}
	img, _, err := image.Decode(f)
	if err != nil {
		return nil, fmt.Errorf("decode the picture: %w", err)
	}
	return img, nil
}

// errNoFile refuses what cannot be read twice, or never ends.
var errNoFile = errors.New("not a regular file: save the picture to a file and name that (folders, pipes and devices are not read)")

// pixelBytes is how many bytes a pixel of a model takes once it is decoded; of
// a model that is not known, the most that one of the decoders makes.
func pixelBytes(m color.Model) int {
	switch m {
	case color.GrayModel, color.AlphaModel:
		return 1
	case color.Gray16Model, color.Alpha16Model:
		return 2
	case color.YCbCrModel:
		return 3
	case color.RGBAModel, color.NRGBAModel, color.CMYKModel, color.NYCbCrAModel:
		return 4
	}
	if _, ok := m.(color.Palette); ok {
		return 1
	}
	return 8
}

// print writes the line as JSON or for people.
func (l mrzLine) print(w io.Writer, asJSON bool) error {
	if asJSON {
		enc := json.NewEncoder(w)
		enc.SetEscapeHTML(false) // '<' is half of every zone
		return enc.Encode(l)
	}
	verdict := "not accepted: a person must look"
	if l.Accepted {
		verdict = "accepted; read, not checked for forgery"
	}
	if l.Error != "" {
		verdict = l.Error
	}
	if _, err := fmt.Fprintf(w, "%s: %s (%.0f ms)\n", l.File, verdict, l.MS); err != nil {
		return err
	}
	for _, t := range l.Lines {
		if _, err := fmt.Fprintf(w, "  %s\n", t); err != nil {
			return err
		}
	}
	for _, f := range l.order {
		printed := ""
		if c, ok := l.Compare[f.Name]; ok {
			printed = strings.TrimSpace("page: " + string(c.Standing) + " " + c.Printed)
		}
		row := strings.TrimRight(fmt.Sprintf("  %-20s %-10s %s %s %s", f.Name, f.Status, f.Value, f.Note, printed), " ")
		if _, err := fmt.Fprintln(w, row); err != nil {
			return err
		}
	}
	return nil
}
