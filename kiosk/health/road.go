package health

// roadCauses is what a step that failed means, if the clock is right.
var roadCauses = map[RoadFault]Cause{
	RoadNoLink: CauseLink, RoadNoName: CauseName, RoadNoWay: CauseNoWay, RoadRefused: CauseRefused, RoadTimeout: CauseTimeout,
	RoadImpostor: CauseImpostor, RoadExpired: CauseHubCert, RoadRejected: CauseRejected, RoadStatus: CauseHubError, RoadCut: CauseCut,
}

func (j *judging) roadFails() bool {
	return j.f.Road != nil && len(j.f.Road.Steps) > 0 && j.f.Road.Steps[len(j.f.Road.Steps)-1].Fault != ""
}

// road finds what the step that failed means.
//
// Dates need care: a hub's certificate that is over at this kiosk's time is the
// hub's fault only if this kiosk's time is certain. One that has not begun is the
// clock's fault always: the hub could not have made it in the future.
func (j *judging) road() {
	r := j.f.Road
	if r == nil {
		return
	}
	if r.Hub == "" {
		j.say(PartHub, CauseNoHub)
		return
	}
	if !j.roadFails() {
		return
	}
	last := r.Steps[len(r.Steps)-1]
	sure := j.f.Clock != nil && j.f.Clock.Trusted
	switch {
	case last.Fault == RoadSkew:
		if !j.has(CauseClockWrong) {
			j.clockWrong(0)
		}
	case last.Fault == RoadEarly, last.Fault == RoadExpired && !sure:
		if !j.has(CauseClockWrong) {
			j.clockWrong(0)
		}
	case last.Fault == RoadExpired && j.has(CauseClockWrong), last.Fault == RoadRejected && j.has(CauseClockWrong):
		// the clock explains it
	default:
		j.say(PartHub, roadCauses[last.Fault], named(r.Hub), count(last.Status), when(last.Ends))
	}
}

// clockWrong says so in place of "not certain".
func (j *judging) clockWrong(_ int) {
	for i := range j.found {
		if j.found[i].Cause == CauseClockUnsure {
			j.found = append(j.found[:i], j.found[i+1:]...)
			break
		}
	}
	j.say(PartClock, CauseClockWrong)
}
