package message

// SignalFields are the fields that Infer takes for signals, as they are commonly written.
func SignalFields() (fields []string) {
	for _, s := range signals {
		fields = append(fields, s.field)
	}
	return fields
}
