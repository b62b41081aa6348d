package config

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/pop2imap/pop2imap/internal/wire"
)

// An Endpoint is what a URL of SPEC §2 says.
type Endpoint struct {
	Scheme   string
	Security wire.Security
	User     string
	Host     string
	Port     int
	Folder   string // IMAP only
	Auth     string // "": the strongest that both sides offer
}

type scheme struct {
	security wire.Security
	port     int
}

var (
	fromSchemes = map[string]scheme{
		"pop3s":         {wire.ImplicitTLS, 995},
		"pop3":          {wire.StartTLS, 110},
		"pop3+insecure": {wire.Cleartext, 110},
	}
	toSchemes = map[string]scheme{
		"imaps":         {wire.ImplicitTLS, 993},
		"imap":          {wire.StartTLS, 143},
		"imap+insecure": {wire.Cleartext, 143},
	}
	toAuth   = []string{"plain", "login", "cram-md5", "scram-sha-256", "xoauth2", "oauthbearer"}
	fromAuth = append(slices.Clone(toAuth), "apop", "user")
)

// ParseFrom reads the URL of a maildrop. Errors never quote the URL: it may hold a password.
func ParseFrom(s string) (Endpoint, error) {
	e, path, err := parse(s, fromSchemes, fromAuth, "pop3s://USER@HOST")
	if err == nil && strings.Trim(path, "/") != "" {
		err = errors.New("a maildrop has no folders: leave out what stands after the host")
	}
	return e, err
}

// ParseTo reads the URL of a destination.
func ParseTo(s string) (Endpoint, error) {
	e, path, err := parse(s, toSchemes, toAuth, "imaps://USER@HOST/FOLDER")
	if err != nil {
		return e, err
	}
	name, err := url.PathUnescape(strings.Trim(path, "/"))
	if err != nil {
		return e, errors.New("the folder has a % that is not followed by two hex digits: write %25")
	}
	e.Folder, err = folder(name)
	return e, err
}

// folder is the name of one in the form in which we keep it.
func folder(name string) (string, error) {
	name = strings.Trim(name, "/")
	switch {
	case !utf8.ValidString(name):
		return "", errors.New("the folder's name is not UTF-8")
	case strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return "", errors.New("the folder's name has a control character")
	case strings.Contains(name, "//"):
		return "", errors.New("the folder has a level without a name")
	}
	first, rest, nested := strings.Cut(name, "/")
	switch {
	case name == "":
		return "INBOX", nil
	case strings.EqualFold(first, "INBOX") && nested: // in any case (RFC 9051 §5.1)
		return "INBOX/" + rest, nil
	case strings.EqualFold(first, "INBOX"):
		return "INBOX", nil
	}
	return name, nil
}

func parse(s string, schemes map[string]scheme, auth []string, example string) (e Endpoint, path string, err error) {
	name, rest, ok := strings.Cut(s, "://")
	name = strings.ToLower(name)
	sc, known := schemes[name]
	if !ok || !known {
		return e, "", fmt.Errorf("it must begin with one of %s, as in %s", names(schemes), example)
	}
	e.Scheme, e.Security, e.Port = name, sc.security, sc.port
	rest, query, _ := strings.Cut(rest, "?")
	authority, path, _ := strings.Cut(rest, "/")
	at := strings.LastIndexByte(authority, '@') // the user may hold an @ as it is
	if at <= 0 {
		return e, "", fmt.Errorf("the user is missing, as in %s", example)
	}
	if e.User, err = user(authority[:at]); err != nil {
		return e, "", err
	}
	if e.Host, e.Port, err = host(authority[at+1:], e.Port); err != nil {
		return e, "", err
	}
	e.Auth, err = mechanism(query, auth)
	return e, path, err
}

func names(schemes map[string]scheme) string {
	var list []string
	for name := range schemes {
		list = append(list, name+"://")
	}
	slices.Sort(list)
	return strings.Join(list, ", ")
}

func user(raw string) (string, error) {
	if strings.Contains(raw, ":") {
		return "", errors.New("a password must not stand in the URL, where everyone on this machine can see it: leave it out, " +
			"and you will be asked, or use a password file or command (a colon in the user's name is %3A)")
	}
	name, err := url.PathUnescape(raw)
	if err != nil {
		return "", errors.New("the user has a % that is not followed by two hex digits: write %25")
	}
	if strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return "", errors.New("the user's name has a control character")
	}
	return name, nil
}

func host(raw string, port int) (string, int, error) {
	name := raw
	if h, p, err := net.SplitHostPort(raw); err == nil {
		n, err := strconv.ParseUint(p, 10, 16)
		if err != nil || n == 0 {
			return "", 0, fmt.Errorf("%q is not a port", p)
		}
		name, port = h, int(n)
	}
	name = strings.TrimSuffix(strings.TrimPrefix(name, "["), "]")
	if name == "" {
		return "", 0, errors.New("the host is missing")
	}
	isIP := net.ParseIP(name) != nil
	if !isIP && strings.ContainsFunc(name, func(r rune) bool {
		return !(r == '-' || r == '.' || r == '_' || '0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z')
	}) {
		return "", 0, fmt.Errorf("%q is not a host name (one with other than ASCII letters is written as xn--…)", name)
	}
	return strings.ToLower(name), port, nil
}

func mechanism(query string, known []string) (string, error) {
	if query == "" {
		return "", nil
	}
	key, value, _ := strings.Cut(query, "=")
	value = strings.ToLower(value)
	if key != "auth" {
		return "", fmt.Errorf("?%s= is not known: there is only ?auth=", key)
	}
	if !slices.Contains(known, value) {
		return "", fmt.Errorf("?auth= can be one of %s", strings.Join(known, ", "))
	}
	return value, nil
}

// place names the server and the user, with the port if it is a special one.
func (e Endpoint) place() string {
	if e.Port == e.defaultPort() {
		return e.User + "@" + e.Host
	}
	return e.User + "@" + net.JoinHostPort(e.Host, strconv.Itoa(e.Port))
}

func (e Endpoint) defaultPort() int {
	if s, ok := fromSchemes[e.Scheme]; ok {
		return s.port
	}
	return toSchemes[e.Scheme].port
}

// String is the URL again.
func (e Endpoint) String() string {
	u := url.URL{Scheme: e.Scheme, User: url.User(e.User), Host: e.Host}
	switch {
	case e.Port != e.defaultPort():
		u.Host = net.JoinHostPort(e.Host, strconv.Itoa(e.Port))
	case strings.Contains(e.Host, ":"):
		u.Host = "[" + e.Host + "]"
	}
	if e.Folder != "" {
		u.Path = "/" + e.Folder
	}
	if e.Auth != "" {
		u.RawQuery = "auth=" + e.Auth
	}
	return u.String()
}
