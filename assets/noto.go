package assets

import _ "embed" // the fonts are embedded byte slices

// NotoRegular and NotoBold are the TrueType fonts Noto Sans Regular and Bold of
// Debian's package fonts-noto-core (2020-12-25), unchanged, under the SIL Open
// Font License 1.1, which NotoLicence holds and a window that draws with them
// must be able to show.
var (
	//go:embed fonts/noto/NotoSans-Regular.ttf
	NotoRegular []byte
	//go:embed fonts/noto/NotoSans-Bold.ttf
	NotoBold []byte
	//go:embed fonts/noto/OFL.txt
	NotoLicence string
)
