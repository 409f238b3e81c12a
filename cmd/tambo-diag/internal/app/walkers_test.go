package app

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// Notes beside the images are nobody's captures, and a name means what it means
// to tambo-devsim.
func TestPeopleOfAFolder(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{
		"ann_L_1.png", "ann_L_2.BMP", "ann_R_1.jpg", "ann_R_2.jpeg",
		"bob_L_1.png", "bob_L_1.txt", "bob_R_1.png", "bob_R_1.txt", // one capture of each eye, and notes
		"ann_lee_L.png", "ann_lee_L_2.png", "ann_lee_R_1.png", "ann_lee_R_2.png",
		"_L_1.png", "readme.md",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "bob_L_2.png"), 0o700); err != nil {
		t.Fatal(err)
	}
	people, err := peopleOf(dir)
	if err != nil || !slices.Equal(people, []string{"ann", "ann_lee"}) {
		t.Errorf("%q %v", people, err)
	}
}
