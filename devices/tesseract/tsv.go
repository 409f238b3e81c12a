package tesseract

import (
	"errors"
	"fmt"
	"image"
	"math"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"tambo/kiosk"
)

// Bounds of what is decoded. A page prints a hundred words.
const (
	maxWords = 4096
	maxText  = 256 // bytes of one word
)

var errTSV = errors.New("tesseract: not a table of words")

// columns of the table, as tesseract 3.05 and later write it.
const header = "level\tpage_num\tblock_num\tpar_num\tline_num\tword_num\tleft\ttop\twidth\theight\tconf\ttext"

// decode reads tesseract's table of a picture of the given size. Rows that are
// no words, and words that are blank, are passed over; anything that is not what
// the program writes makes the whole an error.
func decode(b []byte, size image.Point) ([]kiosk.Word, error) {
	if !utf8.Valid(b) {
		return nil, fmt.Errorf("%w: not UTF-8", errTSV)
	}
	first, rest, _ := strings.Cut(string(b), "\n")
	if strings.TrimRight(first, "\r") != header {
		return nil, fmt.Errorf("%w: no header", errTSV)
	}
	type place [4]int // page, block, paragraph, line
	lines := map[place]int{}
	whole := image.Rectangle{Max: size}
	var out []kiosk.Word
	for row := range strings.SplitSeq(rest, "\n") {
		row = strings.TrimRight(row, "\r")
		if row == "" {
			continue
		}
		col := strings.SplitN(row, "\t", 12)
		if len(col) < 11 {
			return nil, fmt.Errorf("%w: a row of %d columns", errTSV, len(col))
		}
		var n [10]int
		for i := range n {
			v, err := strconv.Atoi(col[i])
			if err != nil || v < 0 || v > math.MaxInt32 {
				return nil, fmt.Errorf("%w: column %d", errTSV, i+1)
			}
			n[i] = v
		}
		const word = 5
		if n[0] != word || len(col) < 12 {
			continue
		}
		confidence, err := strconv.ParseFloat(col[10], 64)
		if err != nil || !(confidence >= -1 && confidence <= 100) {
			return nil, fmt.Errorf("%w: confidence", errTSV)
		}
		text := strings.TrimSpace(col[11])
		if text == "" || confidence < 0 {
			continue
		}
		box := image.Rect(n[6], n[7], n[6]+n[8], n[7]+n[9])
		if !box.In(whole) || box.Empty() {
			return nil, fmt.Errorf("%w: a word outside the picture", errTSV)
		}
		if len(text) > maxText || strings.ContainsFunc(text, unicode.IsControl) {
			return nil, fmt.Errorf("%w: a word of %d bytes", errTSV, len(text))
		}
		if len(out) == maxWords {
			return nil, fmt.Errorf("%w: more than %d words", errTSV, maxWords)
		}
		at := place(n[1:5])
		if _, ok := lines[at]; !ok {
			lines[at] = len(lines)
		}
		out = append(out, kiosk.Word{Text: text, Box: box, Confidence: confidence / 100, Line: lines[at]})
	}
	return out, nil
}
