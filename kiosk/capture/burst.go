package capture

import "tambo/kiosk/iris"

// burst chooses among the good frames of one eye. One good frame may be a
// glance aside, half a blink, a boundary found in the wrong place, or somebody
// else's eye, with a fair score all the same; frames of the same eye that were
// read rightly agree with each other. So it waits until enough agree, and keeps
// the one that agrees best.
type burst struct {
	want  int // how many must agree, with the one that is kept
	shots []*Shot
	done  bool
}

const (
	// agree is how sure two frames must be that they show the same eye, as
	// −log10 of the false match rate.
	agree = 5
	// remembered is how many good frames are looked back at.
	remembered = 12
)

// add takes a good frame, and returns the chosen one once enough agree.
func (b *burst) add(s *Shot) *Shot {
	if len(b.shots) == remembered {
		b.shots = b.shots[1:]
	}
	b.shots = append(b.shots, s)
	if len(b.shots) < b.want {
		return nil
	}
	var chosen *Shot
	var most float64
	for _, x := range b.shots {
		if n, sum := b.support(x); n+1 >= b.want && (chosen == nil || sum > most) {
			chosen, most = x, sum
		}
	}
	b.done = chosen != nil
	return chosen
}

// support counts the other frames that agree with x, and how strongly they do
// in all.
func (b *burst) support(x *Shot) (n int, sum float64) {
	for _, y := range b.shots {
		if x == y {
			continue
		}
		if c, err := iris.Compare(x.Template, y.Template); err == nil && c.LogFMR >= agree {
			n++
			sum += c.LogFMR
		}
	}
	return n, sum
}
