package ui

// PinPad is what the pad for a PIN is drawn from; the supervisor's unless Action
// says otherwise.
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
	// Action is where the PIN is sent, with Hidden beside it.
	Action string
	Hidden []PadField
}

// PadField is a field of a pad that nobody sees.
type PadField struct{ Name, Value string }

func (p PinPad) action() string {
	if p.Action == "" {
		return "/entrar"
	}
	return p.Action
}

func (p PinPad) hidden() []PadField {
	if p.Action == "" {
		return []PadField{{"volver", p.Back}}
	}
	return p.Hidden
}
