package real

import (
	"cmp"
	"fmt"
	"testing"
)

const dovecot = "/usr/sbin/dovecot"

// The penalty service and the delay would make each wrong password cost seconds, and there is nobody to keep out.
const dovecotConf = `
base_dir = %[1]s/run
state_dir = %[1]s/run
log_path = %[1]s/log
default_internal_user = %[2]s
default_internal_group = %[3]s
default_login_user = %[2]s
listen = 127.0.0.1
protocols = imap pop3
auth_mechanisms = plain login
auth_failure_delay = 0
disable_plaintext_auth = no
ssl = yes
ssl_cert = <%[1]s/cert.pem
ssl_key = <%[1]s/key.pem
mail_location = %[4]s:%[1]s/mail
mail_fsync = %[9]s
mail_max_userip_connections = 1000
%[10]s
first_valid_uid = 1
first_valid_gid = 1
default_process_limit = 400
default_client_limit = 2000
default_vsz_limit = 1G
passdb {
  driver = passwd-file
  args = %[1]s/users
}
userdb {
  driver = static
  args = uid=%[2]s gid=%[3]s home=%[1]s/home
}
namespace inbox {
  inbox = yes
}
service anvil {
  chroot =
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
service imap-login {
  chroot =
  service_count = 0
  inet_listener imap {
    port = %[5]d
  }
  inet_listener imaps {
    port = %[6]d
    ssl = yes
  }
}
service pop3-login {
  chroot =
  service_count = 0
  inet_listener pop3 {
    port = %[7]d
  }
  inet_listener pop3s {
    port = %[8]d
    ssl = yes
  }
}
`

// startDovecot runs one that needs no root: all its services are one user's, and none is locked into a folder.
func (s *Server) startDovecot(t testing.TB, o *Options) {
	t.Helper()
	format := cmp.Or(o.Format, "maildir")
	if format == "maildir" {
		s.maildir = s.path("mail")
		s.makeMaildir(t)
	}
	s.folder(t, "home")
	s.folder(t, "run")
	s.file(t, "users", s.User+":{PLAIN}"+s.Password+"\n")
	fsync, more := "never", ""
	if o.Durable {
		fsync = "optimized"
	}
	if o.Capability != "" {
		more = "imap_capability = " + o.Capability
	}
	if o.Compress {
		more += "\nprotocol imap {\n  mail_plugins = imap_zlib\n}"
	}
	if o.MaxMail > 0 {
		more += fmt.Sprintf("\nprotocol imap {\n  mail_plugins = quota\n}\nplugin {\n  quota = count:All\n  quota_vsizes = yes\n  quota_max_mail_size = %d\n}", o.MaxMail)
	}
	conf := s.file(t, "dovecot.conf", fmt.Sprintf(dovecotConf, s.Dir, s.runner.name, s.runner.group, format,
		s.IMAP, s.IMAPS, s.POP3, s.POP3S, fsync, more))
	s.keep(t, s.command(t, nil, dovecot, "-F", "-c", conf))
	s.await(t)
}
