package ui

// PinPad is what the pad for the supervisor's PIN is drawn from.
type PinPad struct {
	// Back is where a right PIN leads.
	Back string
	// Said is why the last one was not taken.
	Said string
	// Locked is set while no PIN is taken at all.
	Locked bool
	// Digits is how long the plant's PIN is, 0 when that is not known: the pad
	// submits itself when so many are in.
	Digits int
}
