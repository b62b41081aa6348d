package bench

import (
	"fmt"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"syscall"
	"testing"
)

// peers are other people's programs that move mail from POP3 to a mailbox, where they are installed. Both move one message
// at a time, so a line with a delay would show nothing but the delay.
func peers(from *source, w way) (all []program) {
	if w.options.Capability != "" || w.roundTrip > 0 || from.corpus.number != 1000 {
		return nil
	}
	for _, p := range []struct {
		file string
		program
	}{
		{doveadmFile, program{name: "doveadm", run: doveadm}},
		{getmailFile, program{name: "getmail6 and LDA", run: getmail, slow: true}},
	} {
		if _, err := os.Stat(p.file); err != nil {
			tables.note("| %s, %s | absent: no %s |", p.name, w, p.file)
			continue
		}
		all = append(all, p.program)
	}
	return all
}

const (
	doveadmFile = "/usr/bin/doveadm"
	getmailFile = "/usr/bin/getmail"
)

const doveadmConf = `
log_path = /dev/stderr
base_dir = %[9]s/run
mail_uid = %[7]d
mail_gid = %[8]d
first_valid_uid = 1
first_valid_gid = 1
mail_home = %[1]s
mail_location = pop3c:%[1]s/pop
ssl_client_ca_file = %[2]s
pop3c_host = 127.0.0.1
pop3c_port = %[3]d
pop3c_user = %[4]s
pop3c_password = %[5]s
pop3c_ssl = no
imapc_host = 127.0.0.1
imapc_port = %[6]s
imapc_user = %[4]s
imapc_password = %[5]s
imapc_ssl = imaps
namespace inbox {
  inbox = yes
  separator = %[10]s
}
`

// doveadm moves the inbox to the inbox: it cannot be told another name. It refuses to be root, and that of Debian 12 (2.3.19)
// waits for ever after the handshake of pop3s.
func doveadm(b testing.TB, r *route) usage {
	b.Helper()
	r.Folder = "INBOX"
	dir, owner := r.room(b, "doveadm")
	conf := r.write(b, "doveadm/conf", fmt.Sprintf(doveadmConf, dir, r.CA, r.from.POP3, r.User, r.Password, port(r.IMAP),
		owner.Uid, owner.Gid, r.to.Dir, r.separator))
	env := []string{"USER=" + r.User, "HOME=" + dir}
	return measure(b, env, doveadmFile, "-c", conf, "backup", "imapc:"+dir+"/imap")
}

const getmailConf = `
[retriever]
type = SimplePOP3SSLRetriever
server = 127.0.0.1
port = %s
username = %s
password = %s
ca_certs = %s
[destination]
type = MDA_external
path = /usr/lib/dovecot/dovecot-lda
arguments = ("-c", %q, "-d", %q)
user = %s
group = %s
[options]
delete = false
delivered_to = false
received = false
verbose = 0
max_messages_per_session = %d
`

// getmail gives each message to a delivery program of the destination's own: no IMAP is spoken.
func getmail(b testing.TB, r *route) usage {
	b.Helper()
	r.Folder = "INBOX"
	dir, owner := r.room(b, "getmail")
	who, err := user.LookupId(fmt.Sprint(owner.Uid))
	if err != nil {
		b.Fatal(err)
	}
	group, err := user.LookupGroupId(who.Gid)
	if err != nil {
		b.Fatal(err)
	}
	r.write(b, "getmail/getmailrc", fmt.Sprintf(getmailConf, port(r.POP), r.User, r.Password, r.CA, r.to.Dir+"/dovecot.conf",
		r.to.User, who.Username, group.Name, r.Most))
	return measure(b, []string{"HOME=" + dir}, getmailFile, "--getmaildir", dir)
}

// write writes a file into the destination's folder, and gives its path.
func (r *route) write(b testing.TB, name, text string) string {
	b.Helper()
	file := filepath.Join(r.to.Dir, name)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		b.Fatal(err)
	}
	return file
}

// room makes a folder for whoever owns the destination.
func (r *route) room(b testing.TB, name string) (string, *syscall.Stat_t) {
	b.Helper()
	info, err := os.Stat(r.to.Dir)
	if err != nil {
		b.Fatal(err)
	}
	owner, dir := info.Sys().(*syscall.Stat_t), filepath.Join(r.to.Dir, name)
	if err := os.Mkdir(dir, 0o755); err != nil {
		b.Fatal(err)
	}
	if err := os.Chown(dir, int(owner.Uid), int(owner.Gid)); err != nil {
		b.Fatal(err)
	}
	return dir, owner
}

func port(address string) string {
	_, p, _ := net.SplitHostPort(address)
	return p
}
