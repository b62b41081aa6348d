package trial

import (
	"context"
	"fmt"
	"os"
	"os/exec"
)

// Command is a run of the real program. What is named before it runs it, and may be of another name.
func (w *World) Command(ctx context.Context, program ...string) *exec.Cmd {
	_, pop := w.From.Addr()
	_, box := w.To.Addr()
	args := append(program, "sync", "--settle", "100ms", "--state", w.State(),
		"--from", fmt.Sprintf("pop3+insecure://%s@127.0.0.1:%d", User, pop),
		"--to", fmt.Sprintf("imap+insecure://%s@127.0.0.1:%d", User, box))
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Env = append(os.Environ(), "POP2IMAP_FROM_PASSWORD="+Password, "POP2IMAP_TO_PASSWORD="+Password)
	return cmd
}
