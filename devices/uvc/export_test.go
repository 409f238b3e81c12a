package uvc

// Explore does with a parsed function what opening a camera does, as far as no
// device is needed.
func Explore(f *Function) {
	for _, s := range f.Streams {
		_ = f.knobs(s)
		for _, eyes := range []int{1, 2} {
			_, _ = s.greyModes(eyes)
		}
		modes, _ := s.colourModes()
		for _, m := range modes {
			_, _ = s.carries(m.frameSize)
		}
		for _, fo := range s.Formats {
			_ = fo.String()
		}
	}
	for _, e := range f.Entities {
		_, _ = e.Has(3), f.chain(e.ID)
	}
}

// ParseFunction reads the first video function.
func ParseFunction(config []byte) (Function, error) {
	all, err := ParseFunctions(config)
	if err != nil {
		return Function{}, err
	}
	return all[0], nil
}
