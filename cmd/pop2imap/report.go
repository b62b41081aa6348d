package main

import (
	"encoding/json"
	"os"
	stdsync "sync"
)

// A reportFile gets a JSON line for each message that something became of, as --json prints them. Each is written at once:
// whenever the run ends, by whatever means, the report is as far as it was. nil: no report is wanted.
type reportFile struct {
	mu   stdsync.Mutex
	file *os.File // nil: closed
	err  error    // of the first line that could not be written; the others are not tried
	fail func(error)
}

// reportStart begins each line of a report.
const reportStart = `{"type":"message",`

// openReport begins a report anew, before anything is touched. A file that holds something else is not overwritten: it may be
// the state. fail is told of the first line that cannot be written.
func openReport(path string, fail func(error)) (*reportFile, error) {
	if path == "" {
		return nil, nil
	}
	if err := foreign(path, "report", "report", reportStart); err != nil {
		return nil, err
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, fileError("report", err)
	}
	return &reportFile{file: file, fail: fail}, nil
}

// line writes the line of a message. An error stops the report and not the run.
func (f *reportFile) line(m messageJSON) {
	if f == nil {
		return
	}
	text, err := json.Marshal(m)
	if err != nil { // it holds nothing that cannot be marshalled
		panic(err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err == nil {
		if _, err := f.file.Write(append(text, '\n')); err != nil {
			f.stop(err)
		}
	}
}

// close ends the report, and says why not all of it was written. Closing twice is allowed.
func (f *reportFile) close() error {
	if f == nil {
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.file == nil {
		return f.err
	}
	if err := f.file.Close(); err != nil && f.err == nil { // a network file system may say only now that it is full
		f.stop(err)
	}
	f.file = nil
	return f.err
}

func (f *reportFile) stop(err error) {
	f.err = fileError("report", err)
	f.fail(f.err)
}
