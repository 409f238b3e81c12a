package devices

import "errors"

// What a person must do at a document scanner before it can go on. Not final:
// the same Scan succeeds afterwards.
var (
	// ErrNoPaper: the feeder was asked for a page and has none.
	ErrNoPaper = errors.New("no page in the feeder: put the page in and scan again")
	// ErrPaperJam: a page is stuck.
	ErrPaperJam = errors.New("page is stuck: open the scanner, take the page out and scan again")
	// ErrCoverOpen: a cover or door is open.
	ErrCoverOpen = errors.New("scanner cover is open: close it and scan again")
)
