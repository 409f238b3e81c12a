package uvc

import (
	"context"

	"tambo/devices"
	"tambo/devices/internal/latest"
)

// outlet hands on the newest of what videos deliver.
type outlet[F any] struct {
	*latest.Outlet[F]
	device string
}

func newOutlet[F any](device string, reuse func(F), cancel context.CancelFunc) outlet[F] {
	return outlet[F]{latest.New(device, reuse, cancel), device}
}

// run starts the goroutine of one video; each tells the outlet how it ended.
func (o *outlet[F]) run(ctx context.Context, v *video) {
	v.busError = func() { o.Count(func(st *devices.StreamStats) { st.BusErrors++ }) }
	v.asm.damaged = func() { o.Count(func(st *devices.StreamStats) { st.Damaged++ }) }
	o.Go(func() error {
		err := v.run(ctx)
		v.halt(err)
		return fail(o.device, "read frame", err)
	})
}
