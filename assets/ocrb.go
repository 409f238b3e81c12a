// Package assets holds the data files that the programs carry inside them:
// fonts and, beside each, the statement of its licence. It holds no logic, no
// test images and nothing about any person.
package assets

import _ "embed" // the fonts are embedded byte slices

// OCRB is the OpenType (CFF) font OCR-B of Debian's package fonts-ocr-b, made
// by Matthew Skala from Norbert Schwarz's Metafont sources, in the public
// domain; see fonts/OCRB.copyright. It is the typeface that ICAO Doc 9303-3
// clause 4.1 prescribes for the machine-readable zone (ISO 1073-2, size 1).
//
//go:embed fonts/OCRB.otf
var OCRB []byte
