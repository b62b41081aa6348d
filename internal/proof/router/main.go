// Command router is a run of package sync in which each message names the folder that it goes to, and what me@example.org
// sent marks what it answers: for the proofs, which kill it. What decides on folders in the program is not their matter.
//
//	router STATE POP3-PORT IMAP-PORT USER PASSWORD
//
// It ends with 0 if all is well.
package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/pop2imap/pop2imap/internal/imap"
	"github.com/pop2imap/pop2imap/internal/message"
	"github.com/pop2imap/pop2imap/internal/pop3"
	"github.com/pop2imap/pop2imap/internal/wire"
	"github.com/pop2imap/pop2imap/state"
	"github.com/pop2imap/pop2imap/sync"
)

func main() {
	if err := run(context.Background(), os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) != 5 {
		return fmt.Errorf("got %d arguments, want 5", len(args))
	}
	store, err := state.Open(ctx, args[0])
	if err != nil {
		return err
	}
	defer store.Close()
	account, err := store.Account(ctx, "router", state.Key{From: args[1], To: args[2]})
	if err != nil {
		return err
	}
	r := sync.Run(ctx, sync.Options{
		From: func(ctx context.Context) (sync.Source, error) {
			s, err := pop3.Dial(ctx, server("from", args[1]), pop3.Login{User: args[3], Password: args[4]})
			if err != nil {
				return nil, err
			}
			return s, nil
		},
		To: func(ctx context.Context) (sync.Destination, error) {
			s, err := imap.Dial(ctx, server("to", args[2]), imap.Login{User: args[3], Password: args[4]})
			if err != nil {
				return nil, err
			}
			return s, nil
		},
		Folder: "INBOX", State: account, Place: place, Identities: []string{"me@example.org"}, Settle: 100 * time.Millisecond, Patience: sync.DefaultPatience})
	if n := r.InDoubt + r.Missing + r.Left + r.Refused; r.Err == nil && n > 0 {
		return fmt.Errorf("%d messages are not where they belong", n)
	}
	return r.Err
}

// place does what the field X-Folder of a message says.
func place(header []byte, _ int64, _ message.Inference) sync.Placement {
	for f := range message.Fields(header) {
		if f.Name == "x-folder" {
			return sync.Placement{Folder: f.Text()}
		}
	}
	return sync.Placement{Use: `\Sent`}
}

func server(side, port string) wire.Server {
	n, _ := strconv.Atoi(port) // 0 is refused when it is dialled
	return wire.Server{Host: "127.0.0.1", Port: n, Security: wire.Cleartext, Side: side, Timeout: 20 * time.Second}
}
