package app

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"tambo/kiosk"
	"tambo/kiosk/iris/evaluate"
)

// maskReport is how a segmentation agrees with hand-made masks.
type maskReport struct {
	Masks   int     `json:"masks"`
	Mean    float64 `json:"mean_iou"`
	Below   int     `json:"below_0.7"`
	Least   float64 `json:"least"`
	Swapped bool    `json:"left_right_swapped"`

	iou   []float64 // by image; −1 where there is no mask
	names []string  // of the masks' files, by image
}

// masks compares with the masks below dir. An image without a segmentation
// overlaps by 0. Masks that are found by the layout NUMBER/EYE/NUMBER may have
// left and right exchanged against the index; the way that agrees better with
// the set as a whole is taken, and said.
func (s *irisSet) masks(dir string) (*maskReport, error) {
	if s.mask != nil {
		names := make([]string, len(s.mask))
		for i, m := range s.mask {
			if m != "" {
				names[i] = filepath.Join(dir, m)
			}
		}
		return s.overlaps(names)
	}
	if s.subject == nil || s.eye == nil {
		return nil, wrongUse("--masks needs a column mask, or the columns subject and eye, in the index")
	}
	root, err := maskRoot(dir)
	if err != nil {
		return nil, err
	}
	straight, err := s.overlaps(s.maskNames(root, false))
	if err != nil {
		return nil, err
	}
	swapped, err := s.overlaps(s.maskNames(root, true))
	if err != nil {
		return nil, err
	}
	if swapped.Mean > straight.Mean {
		swapped.Swapped = true
		return swapped, nil
	}
	return straight, nil
}

// maskRoot is the first folder below dir that has a folder 1 with left and
// right in it.
func maskRoot(dir string) (string, error) {
	root := ""
	err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && filepath.Base(p) == "left" && filepath.Base(filepath.Dir(p)) == "1" {
			root = filepath.Dir(filepath.Dir(p))
			return fs.SkipAll
		}
		return nil
	})
	if err == nil && root == "" {
		err = fmt.Errorf("iris: no folder 1/left below %s", dir)
	}
	return root, err
}

// maskNames says which mask belongs to each image: the folder's number is the
// subject's among the subjects that there are, the file's the image's among
// those of the eye.
func (s *irisSet) maskNames(root string, swap bool) []string {
	var subjects []string
	for _, n := range s.subject {
		if !slices.Contains(subjects, n) {
			subjects = append(subjects, n)
		}
	}
	slices.SortFunc(subjects, func(a, b string) int {
		x, errX := strconv.Atoi(a)
		y, errY := strconv.Atoi(b)
		if errX == nil && errY == nil {
			return x - y
		}
		return strings.Compare(a, b)
	})
	seen := map[string]int{}
	names := make([]string, len(s.paths))
	for i := range names {
		side := "right"
		if (s.eye[i] == kiosk.EyeLeft) != swap {
			side = "left"
		}
		seen[s.class[i]]++
		names[i] = filepath.Join(root, strconv.Itoa(slices.Index(subjects, s.subject[i])+1), side, strconv.Itoa(seen[s.class[i]])+".bmp")
	}
	return names
}

func (s *irisSet) overlaps(names []string) (*maskReport, error) {
	m := &maskReport{Least: 1, iou: make([]float64, len(names)), names: names}
	for i, name := range names {
		m.iou[i] = -1
		if name == "" {
			continue
		}
		mask, err := readGray(name)
		if os.IsNotExist(err) {
			continue
		} else if err != nil {
			return nil, fmt.Errorf("iris: mask %s: %w", name, err)
		}
		m.iou[i] = 0
		if s.codes[i] != nil {
			m.iou[i] = evaluate.Overlap(&s.reads[i].Result.Segmentation, mask)
		}
		m.Masks++
		m.Mean += m.iou[i]
		m.Least = min(m.Least, m.iou[i])
		if m.iou[i] < 0.7 {
			m.Below++
		}
	}
	if m.Masks == 0 {
		return nil, fmt.Errorf("iris: not one of the %d images has a mask", len(names))
	}
	m.Mean /= float64(m.Masks)
	return m, nil
}
