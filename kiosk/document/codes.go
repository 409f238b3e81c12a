package document

import "strings"

// Codes of issuing states, organisations and nationalities. Source: ICAO Doc
// 9303-3 (8th edition, 2021) section 5, which takes up ISO 3166-1 alpha-3 and
// adds to it; "former" are codes of ISO 3166-3 that documents in use may bear.
const (
	isoCodes = `ABW AFG AGO AIA ALA ALB AND ARE ARG ARM ASM ATA ATF ATG AUS AUT AZE
BDI BEL BEN BES BFA BGD BGR BHR BHS BIH BLM BLR BLZ BMU BOL BRA BRB BRN BTN BVT BWA
CAF CAN CCK CHE CHL CHN CIV CMR COD COG COK COL COM CPV CRI CUB CUW CXR CYM CYP CZE
DJI DMA DNK DOM DZA ECU EGY ERI ESH ESP EST ETH FIN FJI FLK FRA FRO FSM
GAB GBR GEO GGY GHA GIB GIN GLP GMB GNB GNQ GRC GRD GRL GTM GUF GUM GUY
HKG HMD HND HRV HTI HUN IDN IMN IND IOT IRL IRN IRQ ISL ISR ITA JAM JEY JOR JPN
KAZ KEN KGZ KHM KIR KNA KOR KWT LAO LBN LBR LBY LCA LIE LKA LSO LTU LUX LVA
MAC MAF MAR MCO MDA MDG MDV MEX MHL MKD MLI MLT MMR MNE MNG MNP MOZ MRT MSR MTQ MUS MWI MYS MYT
NAM NCL NER NFK NGA NIC NIU NLD NOR NPL NRU NZL OMN PAK PAN PCN PER PHL PLW PNG POL PRI PRK PRT PRY PSE PYF
QAT REU ROU RUS RWA SAU SDN SEN SGP SGS SHN SJM SLB SLE SLV SMR SOM SPM SRB SSD STP SUR SVK SVN SWE SWZ SXM SYC SYR
TCA TCD TGO THA TJK TKL TKM TLS TON TTO TUN TUR TUV TWN TZA UGA UKR UMI URY USA UZB
VAT VCT VEN VGB VIR VNM VUT WLF WSM YEM ZAF ZMB ZWE`

	// D: Germany. GB?: classes of British nationality. EUE: European Union.
	// UN?: United Nations. X??: organisations, and persons without a state.
	// RKS: Kosovo, as its documents bear it.
	icaoCodes = `D EUE GBD GBN GBO GBP GBS RKS UNK UNA UNO
XBA XCC XCE XCO XCT XDC XEC XES XIM XMP XOM XPO XXA XXB XXC XXX`

	formerCodes = `ANT BUR BYS CSK DDR NTZ ROM SCG SUN TMP YMD YUG ZAR`

	specimenCodes = `UTO`
)

// codeNotes maps every known code to its note, "" for one in force.
var codeNotes = func() map[string]string {
	m := map[string]string{}
	for _, set := range []struct{ codes, note string }{
		{isoCodes, ""}, {icaoCodes, ""}, {formerCodes, NoteFormerCode}, {specimenCodes, NoteSpecimen},
	} {
		for _, c := range strings.Fields(set.codes) {
			m[c] = set.note
		}
	}
	return m
}()
