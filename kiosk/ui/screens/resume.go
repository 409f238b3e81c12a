package screens

import . "tambo/kiosk/ui/widgets"

// ResumeScreen asks whether this is the same person.
type ResumeScreen struct {
	*Screen
	// View is the eye that is compared; see [IrisesScreen].
	View *EyeView
}

// Resume asks whether this is the same person.
func Resume(f Frame, s ResumeState, c ResumeCalls) *ResumeScreen {
	return &ResumeScreen{f.minimal(f.Say("resume.title"), f.Say("resume.go"), c.Next, c.Back), NewEyeView("")}
}

// Set changes what is live: guidance and score.
func (x *ResumeScreen) Set(s ResumeState) {}
