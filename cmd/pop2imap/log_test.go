package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/pop2imap/pop2imap/internal/config"
	"github.com/pop2imap/pop2imap/internal/lab"
)

// objects FILE: there are lines in the file, each is one JSON object with time, level and msg, and none has a key twice.
func objects(ts *testscript.TestScript, _ bool, args []string) {
	text := ts.ReadFile(args[0])
	if text == "" || !strings.HasSuffix(text, "\n") {
		ts.Fatalf("no lines in %s: %q", args[0], text)
	}
	for line := range strings.Lines(text) {
		var o struct{ Time, Level, Msg string }
		if err := json.Unmarshal([]byte(line), &o); err != nil || o.Time == "" || o.Level == "" || o.Msg == "" {
			ts.Fatalf("no object with time, level and msg (%v): %s", err, line)
		}
		keys := map[string]bool{}
		d := json.NewDecoder(strings.NewReader(line))
		for d.More() {
			key, _ := d.Token()
			if k, ok := key.(string); ok && keys[k] {
				ts.Fatalf("%q stands twice in %s", k, line)
			} else if ok {
				keys[k] = true
				var value any
				d.Decode(&value)
			}
		}
	}
}

// TestLogFollows: a file that was moved away while the program runs is begun anew, and nothing of it is lost.
func TestLogFollows(t *testing.T) {
	path := filepath.Join(t.TempDir(), "run.log")
	j := &journal{run: &config.Run{LogFile: path}}
	says := func(word string) {
		t.Helper()
		if err := j.follow(); err != nil {
			t.Error(err)
		}
		if err := j.write(entry{msg: word}); err != nil {
			t.Error(err)
		}
	}
	if err := j.open(); err != nil {
		t.Fatal(err)
	}
	says("first")
	says("second")
	if err := os.Rename(path, path+".1"); err != nil {
		t.Fatal(err)
	}
	says("third")
	if err := os.Truncate(path, 0); err != nil { // copytruncate
		t.Fatal(err)
	}
	says("fourth")
	if err := j.close(); err != nil {
		t.Error(err)
	}
	for file, want := range map[string][]string{path: {"fourth"}, path + ".1": {"first", "second"}} {
		text, err := os.ReadFile(file)
		if err != nil || strings.Count(string(text), "\n") != len(want) {
			t.Errorf("%s: %v, %q, want the words %q", file, err, text, want)
		}
		for _, word := range want {
			if !strings.Contains(string(text), "msg="+word+"\n") {
				t.Errorf("%q is not in %q", word, text)
			}
		}
	}
}

// TestLogOfAStoppedRun: that it stops is in the file, even with --quiet, and not on stderr.
func TestLogOfAStoppedRun(t *testing.T) {
	hook, has, goOn := atTheSecond()
	command, _ := prepared(t, lab.Sample()[:5], hook)
	run := command()
	path := filepath.Join(t.TempDir(), "log")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	run.Args = append(run.Args, "--log-file", path, "--log-format", "json", "--quiet")
	var talk strings.Builder
	run.Stderr = &talk
	if err := run.Start(); err != nil {
		t.Fatal(err)
	}
	log, err := os.Open(path) // waits for the program
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	<-has
	if err := run.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	var said struct{ Level, Msg, Account string }
	words := json.NewDecoder(log)
	if err := words.Decode(&said); err != nil || said.Level != "INFO" || !strings.HasPrefix(said.Msg, "stopping") || said.Account != "alice" {
		t.Errorf("first it says %+v (%v)", said, err)
	}
	close(goOn)
	var msgs []string
	for words.Decode(&said) == nil {
		msgs = append(msgs, said.Level)
	}
	if got := strings.Join(msgs, " "); got != "ERROR INFO" {
		t.Errorf("then it says %s, want why it ended, and the summary", got)
	}
	err = run.Wait()
	if e, ok := err.(*exec.ExitError); !ok || e.ExitCode() != 143 || strings.Contains(talk.String(), "stopping") {
		t.Errorf("%v and %q on stderr, want exit code 143 and not that it is stopping", err, talk.String())
	}
}
