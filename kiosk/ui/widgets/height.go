package widgets

import "fyne.io/fyne/v2"

// HeightFor returns the height that an object wants at a width: what a
// scrolling column asks of its content.
func HeightFor(o fyne.CanvasObject, width float32) float32 { return heightFor(o, width) }
