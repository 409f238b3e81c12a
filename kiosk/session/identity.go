package session

import (
	"slices"

	"tambo/kiosk"
	"tambo/kiosk/document"
	"tambo/kiosk/intake"
)

// proposal is an identity as the document says it.
func proposal(m document.MRZ) kiosk.Identity {
	f := m.Fields
	return kiosk.Identity{
		Surname: f.PrimaryIdentifier, Given: f.SecondaryIdentifier, Birth: f.BirthDate, Sex: f.Sex,
		Nationality: f.Nationality, DocumentType: f.DocumentCode, DocumentNumber: f.DocumentNumber,
		Issuer: f.Issuer, Expiry: f.ExpiryDate,
	}
}

// Look marks a field as looked at by the officer, who may have corrected its
// value; then its source is the officer.
func Look(f kiosk.Field, value string) kiosk.Field {
	if value != f.Value {
		f.Value, f.Source = value, kiosk.SourceOfficer
	}
	f.Note = intake.Looked
	return f
}

// compared are the fields that print is compared with, by their names in the
// record and as package document calls them, in the order in which they are asked
// about.
func compared(id *kiosk.Identity) []struct {
	name, zone string
	field      *kiosk.Field
} {
	return []struct {
		name, zone string
		field      *kiosk.Field
	}{
		{"documentNumber", "documentNumber", &id.DocumentNumber}, {"surname", "primaryIdentifier", &id.Surname},
		{"given", "secondaryIdentifier", &id.Given}, {"birth", "birthDate", &id.Birth}, {"sex", "sex", &id.Sex},
		{"nationality", "nationality", &id.Nationality}, {"issuer", "issuer", &id.Issuer}, {"expiry", "expiryDate", &id.Expiry},
	}
}

// takePrint notes at each field how the print stands to it. A field from which it
// differs becomes a disagreement that nobody has answered yet; what the zone says
// stands meanwhile.
func takePrint(id *kiosk.Identity, printed map[string]document.Printed) {
	for _, c := range compared(id) {
		p, ok := printed[c.zone]
		if !ok {
			continue
		}
		c.field.Print = p.Standing
		switch p.Standing {
		case kiosk.PrintAgrees:
			c.field.Printed = p.Value
		case kiosk.PrintDiffers:
			page := kiosk.Field{Value: p.Value, Raw: p.Value, Source: kiosk.SourcePage, Status: kiosk.FieldRead, Print: p.Standing}
			id.Disagreements = append(id.Disagreements, kiosk.Disagreement{Field: c.name, Values: []kiosk.Field{*c.field, page}, Chosen: -1})
		}
	}
}

// Compared counts the fields of an identity that the print was compared with, and
// those that it agrees with.
func Compared(id *kiosk.Identity) (agree, of int) {
	for _, c := range compared(id) {
		if c.field.Print != "" {
			of++
		}
		if c.field.Print == kiosk.PrintAgrees {
			agree++
		}
	}
	return agree, of
}

// Settle answers the disagreement about a field, if there is one, with the value
// that the field has now: the officer typed it, or took one of those that were
// offered. What the sources said stays in it.
func Settle(id *kiosk.Identity, name string, now kiosk.Field) {
	id.Disagreements = slices.Clone(id.Disagreements) // what was saved holds the same
	for i := range id.Disagreements {
		d := &id.Disagreements[i]
		if d.Field != name {
			continue
		}
		d.Values = slices.Clone(d.Values)
		at := slices.IndexFunc(d.Values, func(v kiosk.Field) bool { return v.Value == now.Value || v.Source == kiosk.SourceOfficer })
		if at < 0 {
			d.Values, at = append(d.Values, now), len(d.Values)
		}
		if d.Values[at].Source == kiosk.SourceOfficer {
			d.Values[at] = now
		}
		d.Chosen = at
	}
}

// numbers are the document numbers of an identity: the one that holds, and what
// the sources said where they disagree.
func numbers(id *kiosk.Identity) []string {
	out := []string{id.DocumentNumber.Value}
	for _, d := range id.Disagreements {
		if d.Field == "documentNumber" {
			for _, v := range d.Values {
				out = append(out, v.Value)
			}
		}
	}
	return out
}
