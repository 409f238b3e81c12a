package uvc

import "time"

// deviceClock maps a camera's own clock onto ours (UVC 2.4.3.3, 4.2.3). Each
// payload says what the camera's clock read when it was sent; the one that was
// least delayed on its way tells the distance of the two clocks best. Not safe
// for concurrent use.
type deviceClock struct {
	hz uint32 // ticks a second, 0 where the camera does not say

	begun  bool
	base   time.Time     // ours, at the first sample
	last   uint32        // newest reading
	ticks  int64         // since the first reading, past the clock's wrapping
	offset time.Duration // ours less the camera's, since base
}

// settle is how slowly the distance follows samples that came later than the
// best: clocks drift, by tens of millionths.
const settle = 256

// maxAhead is how far after its last payload a frame may seem to be exposed, while
// the clocks find each other.
const maxAhead = 5 * time.Millisecond

// maxAge is how long before its last payload a frame can have been exposed.
const maxAge = 2 * time.Second

// sample takes a reading that arrived now.
func (c *deviceClock) sample(reading uint32, now time.Time) {
	if c.hz == 0 {
		return
	}
	if !c.begun {
		*c = deviceClock{hz: c.hz, begun: true, base: now, last: reading}
		return
	}
	c.ticks += int64(int32(reading - c.last))
	c.last = reading
	late := now.Sub(c.base) - c.elapsed(c.ticks)
	switch d := late - c.offset; {
	case d > maxAge || d < -maxAge: // its clock was set anew
		*c = deviceClock{hz: c.hz, begun: true, base: now, last: reading}
	case d < 0:
		c.offset = late
	default:
		c.offset += d / settle
	}
}

func (c *deviceClock) elapsed(ticks int64) time.Duration {
	s, rest := ticks/int64(c.hz), ticks%int64(c.hz)
	return time.Duration(s)*time.Second + time.Duration(rest*int64(time.Second)/int64(c.hz))
}

// at gives our time of a time stamp of a frame that was complete at a time; zero
// where it cannot be known or makes no sense.
func (c *deviceClock) at(pts uint32, complete time.Time) time.Time {
	if !c.begun {
		return time.Time{}
	}
	t := c.base.Add(c.offset + c.elapsed(c.ticks+int64(int32(pts-c.last))))
	switch age := complete.Sub(t); {
	case age < -maxAhead || age > maxAge:
		return time.Time{}
	case age < 0:
		return complete
	}
	return t
}
