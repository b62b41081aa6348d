package real

import (
	"bytes"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

func courierProgram(name string) string { return filepath.Join(prefix(Courier), name) }

const (
	tcpd        = "usr/sbin/couriertcpd"
	couriertls  = "usr/bin/couriertls"
	imapLogin   = "usr/lib/courier/courier/imaplogin"
	imapd       = "usr/bin/imapd"
	pop3Login   = "usr/lib/courier/courier/courierpop3login"
	pop3d       = "usr/lib/courier/courier/courierpop3d"
	authdaemond = "usr/lib/courier/courier-authlib/authdaemond"
	makedat     = "usr/lib/courier/courier-authlib/makedatprog"
	userdbpw    = "usr/sbin/userdbpw"
	gamin       = "usr/libexec/gam_server"
	nssWrapper  = "usr/lib/*-linux-gnu*/libnss_wrapper.so"
)

// What Debian's /etc/courier says, but for the certificate.
var courierEnv = []string{
	"IMAP_CAPABILITY=IMAP4rev1 UIDPLUS CHILDREN NAMESPACE THREAD=ORDEREDSUBJECT THREAD=REFERENCES SORT QUOTA IDLE",
	"IMAP_KEYWORDS=1", "IMAP_ACL=1", "IMAP_IDLE_TIMEOUT=60", "IMAP_MAILBOX_SANITY_CHECK=1", "IMAP_USELOCKS=1",
	"IMAP_TRASHFOLDERNAME=Trash", "IMAP_EMPTYTRASH=Trash:7", "HEADERFROM=X-IMAP-Sender",
	"MIME_UNICODE_MESSAGE_TYPE=message/global", "MAILDIRPATH=Maildir",
	"TLS_VERIFYPEER=NONE", "TLS_CERTFILE=both.pem",
}

// startCourier runs an authentication daemon and four listeners in the server's folder: install.sh has made the paths
// that are in the programs relative to it.
func (s *Server) startCourier(t testing.TB) {
	t.Helper()
	s.folder(t, "home")
	s.maildir = s.path("home/Maildir")
	s.makeMaildir(t)
	s.makeUserdb(t)

	env := append(libraries(Courier), courierEnv...)
	// imapd asks this one when a folder has changed. It would start one that outlives the test, or wait for it.
	id := filepath.Base(s.Dir)
	env = append(env, "COURIERTLS="+courierProgram(couriertls), "GAM_CLIENT_ID="+id)
	s.keep(t, s.command(t, env, courierProgram(gamin), "-notimeout", id))
	env = append(env, s.becomeCourier(t)...)
	s.keep(t, s.command(t, env, courierProgram(authdaemond)))
	s.listen(t, append(env, "IMAP_STARTTLS=YES"), s.IMAP, imapLogin, imapd)
	s.listen(t, append(env, "IMAP_TLS=1"), s.IMAPS, couriertls, "-server", "-tcpd", imapLogin, imapd)
	s.listen(t, append(env, "POP3_STARTTLS=YES"), s.POP3, pop3Login, pop3d)
	s.listen(t, append(env, "POP3_TLS=1"), s.POP3S, couriertls, "-server", "-tcpd", pop3Login, pop3d)
	s.await(t)
}

// becomeCourier is the environment in which the user courier is who runs the server: that is who the programs want to
// become before TLS begins, and nobody else can but root. The own name comes first, as libgamin asks for it by number.
func (s *Server) becomeCourier(t testing.TB) []string {
	t.Helper()
	var users, groups strings.Builder
	for _, name := range []string{s.runner.name, "courier"} {
		fmt.Fprintf(&users, "%s:x:%d:%d::/:/bin/false\n", name, s.runner.uid, s.runner.gid)
		fmt.Fprintf(&groups, "%s:x:%d:\n", name, s.runner.gid)
	}
	return []string{
		"LD_PRELOAD=" + strings.Join(unpacked(Courier, nssWrapper), " "),
		"NSS_WRAPPER_PASSWD=" + s.file(t, "passwd", users.String()),
		"NSS_WRAPPER_GROUP=" + s.file(t, "group", groups.String()),
	}
}

// listen runs a listener that gives each connection to a chain of programs, each of which runs the next.
func (s *Server) listen(t testing.TB, env []string, port int, chain ...string) {
	t.Helper()
	args := []string{"-address=127.0.0.1", "-maxprocs=400", "-maxperip=400", "-nodnslookup", "-noidentlookup",
		fmt.Sprint(port)}
	for _, word := range chain {
		if !strings.HasPrefix(word, "-") {
			word = courierProgram(word)
		}
		args = append(args, word)
	}
	s.keep(t, s.command(t, env, courierProgram(tcpd), append(args, "Maildir")...))
}

// makeUserdb writes the account and its password to the two databases that authuserdb reads.
func (s *Server) makeUserdb(t testing.TB) {
	t.Helper()
	s.folder(t, "authdaemon")
	s.file(t, "authdaemonrc", "authmodulelist=\"authuserdb\"\ndaemons=5\nauthdaemonvar="+s.path("authdaemon")+
		"\nDEBUG_LOGIN=0\nDEFAULTOPTIONS=\"\"\n")

	hash := s.command(t, libraries(Courier), courierProgram(userdbpw), "-md5")
	var out bytes.Buffer
	hash.Stdin, hash.Stdout = strings.NewReader(s.Password+"\n"), &out
	if err := hash.Run(); err != nil {
		t.Fatalf("make the account of courier: %v\n%s", err, s.Log())
	}
	for name, fields := range map[string]string{
		"userdb":       fmt.Sprintf("uid=%d|gid=%d|home=%s", s.runner.uid, s.runner.gid, s.path("home")),
		"userdbshadow": "systempw=" + strings.TrimSpace(out.String()),
	} {
		text := s.file(t, name, s.User+"\t"+fields+"\n.\n") // the dot is the end
		dat := s.command(t, libraries(Courier), courierProgram(makedat), text, text+".tmp", text+".dat")
		if err := dat.Run(); err != nil {
			t.Fatalf("make the account of courier: %v\n%s", err, s.Log())
		}
	}
}
