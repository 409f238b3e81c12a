package kiosk

import "image"

// Word is one word as print on a page was read: what it says, where it stands,
// and how certain the reading is. It is never more than a reading: whoever reads
// print for the kiosk is not told what the page should say.
type Word struct {
	Text       string
	Box        image.Rectangle // on the picture that was read, pixels
	Confidence float64         // 0 to 1, the reader's own
	Line       int             // words of one line have the same number; lines are numbered as they are read
}

// PrintStanding says how the print on the page stands to a field that was read
// elsewhere on the same document. Empty: the print was not compared.
type PrintStanding string

// Standings of the print.
const (
	PrintAgrees   PrintStanding = "agrees"    // the page prints the same value
	PrintDiffers  PrintStanding = "differs"   // the page prints nearly the same, and was read twice with certainty
	PrintNotFound PrintStanding = "not found" // the value was not made out on the page: not printed, or not legible
)
