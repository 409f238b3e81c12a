//go:build !amd64

package gallery

func fastKernels() []kernel { return nil }
