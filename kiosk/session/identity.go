package session

import (
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
