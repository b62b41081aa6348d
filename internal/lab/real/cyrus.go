package real

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

func cyrusProgram(name string) string { return filepath.Join(prefix(Cyrus), "usr/lib/cyrus/bin", name) }

func saslpasswd() string { return filepath.Join(prefix(Cyrus), "usr/sbin/saslpasswd2") }

const imapdConf = `
configdirectory: %[1]s/conf
defaultpartition: default
partition-default: %[1]s/mail
cyrus_user: %[2]s
servername: localhost
admins: cyrus
autocreate_quota: 0
allowplaintext: yes
sasl_path: %[3]s
sasl_pwcheck_method: auxprop
sasl_auxprop_plugin: sasldb
sasl_sasldb_path: %[1]s/users
sasl_mech_list: PLAIN LOGIN
tls_server_cert: %[1]s/cert.pem
tls_server_key: %[1]s/key.pem
tls_session_timeout: 0
maxlogins_per_host: 0
maxlogins_per_user: 0
popminpoll: 0
failedloginpause: 0
maxmessagesize: 0
skiplist_unsafe: yes
`

const cyrusConf = `
START {
  recover cmd="%[1]s -C %[3]s -r"
}
SERVICES {
  imap  cmd="%[2]s/imapd -C %[3]s -U 1000" listen="127.0.0.1:%[4]d" prefork=0 maxchild=400
  imaps cmd="%[2]s/imapd -C %[3]s -U 1000 -s" listen="127.0.0.1:%[5]d" prefork=0 maxchild=400
  pop3  cmd="%[2]s/pop3d -C %[3]s -U 1000" listen="127.0.0.1:%[6]d" prefork=0 maxchild=400
  pop3s cmd="%[2]s/pop3d -C %[3]s -U 1000 -s" listen="127.0.0.1:%[7]d" prefork=0 maxchild=400
}
`

// startCyrus runs a master of its own. What Cyrus logs is lost where no syslogd runs: it knows nothing but syslog.
func (s *Server) startCyrus(t testing.TB) {
	t.Helper()
	env := libraries(Cyrus)
	for _, name := range []string{"conf", "conf/proc", "conf/socket", "conf/db", "mail"} {
		s.folder(t, name)
	}
	plugins := strings.Join(unpacked(Cyrus, "usr/lib/*-linux-gnu*/sasl2"), ":")
	imapd := s.file(t, "imapd.conf", fmt.Sprintf(imapdConf, s.Dir, s.runner.name, plugins))
	conf := s.file(t, "cyrus.conf", fmt.Sprintf(cyrusConf, cyrusProgram("ctl_cyrusdb"), cyrusProgram(""), imapd,
		s.IMAP, s.IMAPS, s.POP3, s.POP3S))

	password := s.command(t, env, saslpasswd(), "-p", "-c", "-f", s.path("users"), "-u", "localhost", s.User)
	password.Stdin = strings.NewReader(s.Password)
	if err := password.Run(); err != nil {
		t.Fatalf("make the account of cyrus: %v\n%s", err, s.Log())
	}
	s.keep(t, s.command(t, env, cyrusProgram("master"), "-D", "-C", imapd, "-M", conf, "-p", s.path("master.pid")))
	s.await(t)
	s.newAppender(t, s.User, s.Password).Close() // the first login makes the inbox
}
