//go:build !amd64

package iris

func ways() []way { return []way{portable} }

func (w way) countFast(out *tally, a, b *code, t *turning) { countGo(out, a, b, t) }
