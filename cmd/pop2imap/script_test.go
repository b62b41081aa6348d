package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	stdsync "sync"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/pop2imap/pop2imap/internal/doctor"
	"github.com/pop2imap/pop2imap/internal/lab"
	"github.com/pop2imap/pop2imap/state"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"pop2imap": func() {
		p := &program{getenv: os.Getenv, keyring: drawer(os.Getenv("KEYRING")), lookup: labLookup(), stdio: stdio{os.Stdin, os.Stdout, os.Stderr},
			now: clock(os.Getenv("CLOCK")), shortest: 10 * time.Millisecond, fileSystem: onlyShm}
		os.Exit(p.run(context.Background(), os.Args[1:]))
	}})
}

// onlyShm knows of one place in memory: where tests have their files is nobody's concern.
func onlyShm(path string) string {
	if !strings.HasPrefix(path, "/dev/shm/") {
		return ""
	}
	return doctor.FileSystem(path)
}

const password = "s3cret-%-word" // must never show up in any output

// TestScripts runs the command as a user does. Beside the usual commands the scripts have those of the map below; $FROM
// and $TO are the two URLs, the passwords are in the environment, and $POP2IMAP_STATE is set.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:   "testdata/script",
		Setup: prepare,
		// UPDATE_SCRIPTS=1 writes what cmp finds into the scripts: look at the difference before you commit it.
		UpdateScripts: os.Getenv("UPDATE_SCRIPTS") != "",
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"maildrop": startMaildrop,
			"mailbox":  startMailbox,
			"deliver":  deliver,
			"exits":    expectExit,
			"stored":   stored,
			"sessions": sessions,
			"hold":     hold,
			"away":     away,
			"cut":      cut,
			"lie":      lie,
			"busy":     busy,
			"stall":    stall,
			"refuse":   refuse,
			"put":      putBefore,
			"remove":   remove,
			"left":     left,
			"accounts": startAccounts,
			"mail":     setMail,
			"twin":     startTwin,
			"flagged":  flagged,
			"names":    startNames,
			"expand":   expand,
			"modes":    modes,
			"answer":   answerSo,
			"hang":     hang,
			"said":     said,
			"plain":    plain,
			"start":    start,
			"says":     untilSays,
			"has-said": hasSaid,
			"send":     send,
			"ends":     endsWith,

			"objects":     objects,
			"watchdog":    startWatchdog,
			"pings":       pings,
			"prometheus":  prometheus,
			"cat-account": catAccount,
			"document":    document,
			"heading":     underHeading,
			"headings":    allHeadings,
		},
	})
}

// ends are the servers of one script.
type ends struct {
	ca       *lab.Authority
	maildrop *lab.POP3
	mailbox  *lab.IMAP
	others   []*lab.POP3 // of accounts
	faults   faults
	free     func()   // the account that is held
	headings []string // of docs/troubleshooting.md, that were met
	watchdog *watchdog
	process  *process // that was started last
}

func prepare(env *testscript.Env) error {
	ca, err := lab.NewTLS(autoconfigHosts...)
	if err != nil {
		return err
	}
	e := &ends{ca: ca}
	env.Values["ends"] = e
	env.Defer(func() {
		e.faults.hang("")
		if e.maildrop != nil {
			e.maildrop.Close()
		}
		if e.mailbox != nil {
			e.mailbox.Close()
		}
		for _, m := range e.others {
			m.Close()
		}
	})
	env.Setenv("HOME", env.WorkDir)
	env.Setenv("CA", filepath.Join(env.WorkDir, "ca.pem"))
	env.Setenv("SSL_CERT_FILE", filepath.Join(env.WorkDir, "ca.pem"))
	env.Setenv("FINGERPRINT", "sha256:"+ca.Good.Fingerprint)
	env.Setenv("PASSWORD", password)
	env.Setenv("KEYRING", filepath.Join(env.WorkDir, "keyring"))
	env.Setenv("POP2IMAP_FROM_PASSWORD", password)
	env.Setenv("POP2IMAP_TO_PASSWORD", password)
	env.Setenv("POP2IMAP_STATE", filepath.Join(env.WorkDir, "state", "state.db"))
	return os.WriteFile(filepath.Join(env.WorkDir, "ca.pem"), ca.PEM, 0o644)
}

func serving(ts *testscript.TestScript) *ends { return ts.Value("ends").(*ends) }

// maildrop [no-uidl] [no-capa] [no-top] [plain] [no-stls] [old-tls] [apop] [auth=MECH]…: a POP3 server with five messages; plain for
// pop3://. $FROM_PORT is its port.
func startMaildrop(ts *testscript.TestScript, _ bool, args []string) {
	e := serving(ts)
	has := func(word string) bool { return strings.Contains(" "+strings.Join(args, " ")+" ", " "+word+" ") }
	config := e.ca.Good.Config
	if has("old-tls") {
		config = config.Clone()
		config.MinVersion, config.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
	}
	s, err := lab.StartPOP3(lab.POP3Options{User: "alice", Password: password, TLS: config,
		Implicit: !has("plain"), NoUIDL: has("no-uidl"), NoCAPA: has("no-capa"), NoTOP: has("no-top"), NoSTLS: has("no-stls"),
		APOP: has("apop"), Mechs: mechanisms(args), Hook: e.faults.pop3})
	ts.Check(err)
	if e.maildrop != nil {
		e.maildrop.Close()
	}
	e.maildrop = s
	s.SetMail(lab.Sample()[:5])
	_, port := s.Addr()
	scheme := "pop3s"
	if has("plain") {
		scheme = "pop3"
	}
	ts.Setenv("FROM_PORT", strconv.Itoa(port))
	ts.Setenv("FROM", fmt.Sprintf("%s://alice@127.0.0.1:%d", scheme, port))
}

// mailbox [limit=N] [no-create] [plain] [no-starttls] [alters] [auth=MECH]…: an empty IMAP server, or one that adds a field to each message.
func startMailbox(ts *testscript.TestScript, _ bool, args []string) {
	e := serving(ts)
	o := lab.IMAPOptions{User: "alice", Password: password, TLS: e.ca.Good.Config, Implicit: true,
		Mechs: mechanisms(args), Hook: e.faults.imap, RefuseAppend: e.faults.append}
	scheme := "imaps"
	for _, a := range args {
		switch {
		case a == "no-create":
			o.RefuseCreate = &imap.Error{Type: imap.StatusResponseTypeNo, Text: "no folders for you"}
		case a == "alters":
			o.Alter = func(raw []byte) []byte { return append([]byte("X-Scanned: yes\r\n"), raw...) }
		case a == "plain":
			o.Implicit, scheme = false, "imap"
		case a == "no-starttls":
			o.TLS = nil
		case strings.HasPrefix(a, "auth="):
		case strings.HasPrefix(a, "limit="):
			n, err := strconv.ParseUint(strings.TrimPrefix(a, "limit="), 10, 32)
			ts.Check(err)
			o.AppendLimit = uint32(n)
		default:
			ts.Fatalf("unknown option %q", a)
		}
	}
	s, err := lab.StartIMAP(o)
	ts.Check(err)
	if e.mailbox != nil {
		e.mailbox.Close()
	}
	e.mailbox = s
	_, port := s.Addr()
	ts.Setenv("TO_PORT", strconv.Itoa(port))
	ts.Setenv("TO", fmt.Sprintf("%s://alice@127.0.0.1:%d", scheme, port))
}

// deliver N: the maildrop has the first N messages of the sample.
func deliver(ts *testscript.TestScript, _ bool, args []string) {
	n, err := strconv.Atoi(args[0])
	ts.Check(err)
	serving(ts).maildrop.SetMail(lab.Sample()[:n])
}

// exits CODE COMMAND…: as exec, with the exit code. The password must not be in what it prints, and the sums of a summary in JSON
// must be right.
func expectExit(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		e, ok := errors.AsType[*exec.ExitError](err)
		if !ok {
			ts.Fatalf("%v", err)
		}
		got = e.ExitCode()
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
	for _, stream := range []string{"stdout", "stderr"} {
		for _, secret := range []string{password, b64(password), b64("\x00alice\x00" + password)} {
			if strings.Contains(ts.ReadFile(stream), secret) {
				ts.Fatalf("the password is in %s", stream)
			}
		}
	}
	if strings.Contains(ts.ReadFile("stdout"), "\x1b") {
		ts.Fatalf("stdout has colours, or drives the terminal")
	}
	sums(ts, got)
}

// stored FOLDER I…: the folder holds these messages of the sample, in this order, to the octet. Without any it need not exist.
func stored(ts *testscript.TestScript, _ bool, args []string) {
	got, err := serving(ts).mailbox.Messages(args[0])
	if err != nil && len(args) == 1 {
		return
	}
	ts.Check(err)
	if len(got) != len(args)-1 {
		ts.Fatalf("%d messages in %s, want %d", len(got), args[0], len(args)-1)
	}
	sample := lab.Sample()
	for i, a := range args[1:] {
		n, err := strconv.Atoi(a)
		ts.Check(err)
		if !bytes.Equal(got[i].Raw, canonical(sample[n-1].Raw)) {
			ts.Fatalf("message %d in %s is not message %d of the sample", i+1, args[0], n)
		}
	}
}

// sessions imap N: so many connections there have been.
func sessions(ts *testscript.TestScript, _ bool, args []string) {
	got := serving(ts).maildrop.Connections()
	if args[0] == "imap" {
		got = serving(ts).mailbox.Connections()
	}
	if want, err := strconv.Atoi(args[1]); err != nil || got != want {
		ts.Fatalf("%d %s connections, want %s", got, args[0], args[1])
	}
}

// hold: the account belongs to another run until the script ends; ! hold: no longer.
func hold(ts *testscript.TestScript, over bool, _ []string) {
	if over {
		serving(ts).free()
		return
	}
	ctx := context.Background()
	store, err := state.Open(ctx, ts.Getenv("POP2IMAP_STATE"))
	ts.Check(err)
	accounts, err := store.Accounts(ctx)
	ts.Check(err)
	unlock, err := accounts[0].Lock()
	ts.Check(err)
	free := stdsync.OnceFunc(func() { unlock(); store.Close() })
	ts.Defer(free)
	serving(ts).free = free
}
