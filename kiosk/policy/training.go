package policy

import (
	"slices"
	"time"

	"tambo/kiosk"
)

// TrainingAgreement is the agreement of a training hub: fictional parties and
// law, every rule in force, marked Training so that no real hub accepts what is
// made under it. Recipients must hold a matcher, a custodian and an adjudicator.
// It lasts 90 days.
func TrainingAgreement(recipients []kiosk.Recipient, now time.Time) kiosk.Agreement {
	now = now.UTC().Truncate(time.Second)
	day := 24 * time.Hour
	a := kiosk.Agreement{
		ID: "utopia-training", Version: 1, Title: "Training agreement, Republic of Utopia", Training: true,
		NotBefore: now.Add(-time.Hour), Expires: now.Add(90 * day),
		Parties: []kiosk.Party{
			{Name: "Utopia Prison Service", Country: "UTO", Role: "host"},
			{Name: "Utopia Border Service", Country: "UTO", Role: "partner"},
		},
		Purposes: []string{"establish identity at intake", "find earlier encounters", "search the lists named here"},
		Authorities: []kiosk.Authority{
			{Code: "prison-act-12", Kind: "statute", Citation: "Specimen Prison Act, section 12", Basis: kiosk.BasisLegalDuty, ValidFrom: now.Add(-day), ValidUntil: now.Add(365 * day)},
			{Code: "court-order", Kind: "order", Citation: "Order of the Specimen Court", Basis: kiosk.BasisOrder, ValidFrom: now.Add(-day), ValidUntil: now.Add(365 * day)},
			{Code: "border-act-4", Kind: "statute", Citation: "Specimen Border Act, section 4", Basis: kiosk.BasisLegalDuty, ValidFrom: now.Add(-day), ValidUntil: now.Add(365 * day)},
		},
		Categories: trainingCategories(), Visits: trainingVisits(),
		Notice: kiosk.Notice{
			Text: map[string]string{
				"en": "Your irises, your face and your document are recorded under the Specimen Prison Act, section 12, to establish who you are. Kept for 5 years. To object: Specimen Ombudsman, 555-0100. This is a training exercise.",
				"es": "Sus iris, su rostro y su documento se registran según la Ley Penitenciaria de Muestra, artículo 12, para establecer quién es usted. Se guardan 5 años. Para oponerse: Defensoría de Muestra, 555-0100. Esto es un ejercicio de formación.",
			},
			Given: []kiosk.NoticeForm{kiosk.NoticeRead, kiosk.NoticeShown, kiosk.NoticePrinted},
		},
		Floors:   kiosk.Floors{Iris: 60, Face: 60},
		Matching: kiosk.Matching{SearchFPIR: 1e-3, VerifyFMR: 1e-5},
		Second: []kiosk.SecondRule{
			{When: kiosk.SecondHit, Deadline: 4 * time.Hour},
			{When: kiosk.SecondBelow, Deadline: 24 * time.Hour},
			{When: kiosk.SecondException, Deadline: 24 * time.Hour},
			{When: kiosk.SecondNoIrises, Deadline: 4 * time.Hour},
		},
		Lists: []kiosk.ListRule{
			{List: "wanted", Presentation: kiosk.PresentOpen, MaxAge: 48 * time.Hour},
			{List: "inquiry", Presentation: kiosk.PresentDiscreet, MaxAge: 48 * time.Hour},
		},
		HumanReview: true,
		LocalSearch: kiosk.LocalSearch{Keep: 30 * day},
		Retention:   kiosk.Retention{KioskUndelivered: 30 * day, Hub: 5 * 365 * day, Partner: 30 * day},
		Caveats:     []string{"training data: never to be shared"},
		Redress:     kiosk.Redress{Contact: map[string]string{"en": "Specimen Ombudsman, 555-0100", "es": "Defensoría de Muestra, 555-0100"}},
	}
	a.Recipients = slices.Clone(recipients)
	for i := range a.Recipients { // people read who may receive their data, not the name of a key
		a.Recipients[i].Name = a.Parties[0].Name
	}
	a.Notice.Digest = map[string]string{}
	for lang, text := range a.Notice.Text {
		a.Notice.Digest[lang] = TextDigest(text)
	}
	return a
}

// trainingCategories says whom the training agreement covers: minors by face and
// document only, victims without a photo.
func trainingCategories() []kiosk.Category {
	adult := []kiosk.Modality{kiosk.ModalityIris, kiosk.ModalityFace, kiosk.ModalityDocument}
	return []kiosk.Category{{
		Code: "remand", Bands: []kiosk.BandRule{
			{Band: kiosk.Band14To17, Modalities: []kiosk.Modality{kiosk.ModalityFace, kiosk.ModalityDocument}, Guardian: true},
			{Band: kiosk.BandAdult, Modalities: adult, Without: map[kiosk.ProtectedFlag][]kiosk.Modality{
				kiosk.FlagVictim: {kiosk.ModalityFace},
			}},
		},
	}, {
		Code: "traveller", Bands: []kiosk.BandRule{
			{Band: kiosk.Band14To17, Modalities: []kiosk.Modality{kiosk.ModalityFace, kiosk.ModalityDocument}},
			{Band: kiosk.BandAdult, Modalities: adult},
		},
	}}
}

// trainingVisits are the kinds of visit with their steps.
func trainingVisits() []kiosk.Visit {
	return []kiosk.Visit{{
		Kind:     kiosk.VisitIntake,
		Steps:    []kiosk.StepKind{kiosk.StepArrival, kiosk.StepIrises, kiosk.StepDocument, kiosk.StepIdentity, kiosk.StepFace, kiosk.StepDecision, kiosk.StepReview},
		Required: []kiosk.StepKind{kiosk.StepArrival, kiosk.StepIrises, kiosk.StepDocument, kiosk.StepIdentity, kiosk.StepFace, kiosk.StepDecision, kiosk.StepReview},
	}, {
		Kind:     kiosk.VisitPort,
		Steps:    []kiosk.StepKind{kiosk.StepArrival, kiosk.StepDocument, kiosk.StepIdentity, kiosk.StepIrises, kiosk.StepDecision, kiosk.StepReview},
		Required: []kiosk.StepKind{kiosk.StepArrival, kiosk.StepDocument, kiosk.StepIdentity, kiosk.StepIrises, kiosk.StepDecision, kiosk.StepReview},
	}}
}
