package sync

// remedies are for errors that have none of their own.
var remedies = map[Class]string{
	Bug:         "report it; what was recorded is safe",
	Temporary:   "try again later; if it stays so, ask whoever runs the server",
	Unavailable: "ask whoever runs the server",
	Missing:     "choose another folder with --folder",
	Protocol:    "check that host and port are those of a mail server, and ask whoever runs it",
	Login:       "check user name and password",
	Storage:     "look at the disk: is it full, read-only, or another user's?",
	Config:      "mend it, and run it again",
	Stopped:     "run it again: it goes on from there",
}

// Advice is what the user can do about an error: its own remedy, or else what helps against its class; "" if neither is known.
func (e *Error) Advice() string {
	if e.Remedy != "" {
		return e.Remedy
	}
	return remedies[e.Class]
}
