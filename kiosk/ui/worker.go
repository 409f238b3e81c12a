package ui

import (
	"context"
	"sync"
)

// worker does the window's jobs one after another, off the UI goroutine: the
// session allows one act at a time, and so does a person.
type worker struct {
	base context.Context

	mu    sync.Mutex
	queue []job
	wake  chan struct{}
	done  chan struct{}
}

type job struct {
	ctx  context.Context
	stop context.CancelFunc
	do   func(context.Context)
}

func newWorker(ctx context.Context) *worker {
	w := &worker{base: ctx, wake: make(chan struct{}, 1), done: make(chan struct{})}
	go w.run()
	return w
}

// post puts a job at the end of the queue and returns what ends its context,
// before it begins or while it runs. What it has made durable stays. It never
// waits.
func (w *worker) post(do func(context.Context)) context.CancelFunc {
	ctx, stop := context.WithCancel(w.base)
	w.mu.Lock()
	w.queue = append(w.queue, job{ctx, stop, do})
	w.mu.Unlock()
	select {
	case w.wake <- struct{}{}:
	default:
	}
	return stop
}

func (w *worker) next() (job, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.queue) == 0 {
		return job{}, false
	}
	j := w.queue[0]
	w.queue[0] = job{} // its pictures are not kept until the queue grows again
	w.queue = w.queue[1:]
	return j, true
}

// run works until the base context ends; jobs that were posted before still get
// their turn, with a context that has ended, so that each ends somehow.
func (w *worker) run() {
	defer close(w.done)
	for {
		if j, ok := w.next(); ok {
			j.do(j.ctx)
			j.stop()
			continue
		}
		select {
		case <-w.base.Done():
			if _, more := w.peek(); !more {
				return
			}
		case <-w.wake:
		}
	}
}

func (w *worker) peek() (int, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.queue), len(w.queue) > 0
}
