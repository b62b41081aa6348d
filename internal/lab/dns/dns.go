// Package dns is a name server for tests: it listens on 127.0.0.1 and knows the SRV and MX records that it is given. That
// a name has no record of a kind is an answer too (NXDOMAIN), so nobody is ever asked beyond it.
package dns

import (
	"context"
	"fmt"
	"net"
	"sync"

	"golang.org/x/net/dns/dnsmessage"
)

// Records give the answers by full name, in lower case with a dot at the end: "_pop3s._tcp.example.org.". All of one name
// are of one kind. A name with an empty list is one over which the server fails (SERVFAIL).
type Records map[string][]dnsmessage.ResourceBody

// SRV is a record of RFC 2782. The target ends with a dot.
func SRV(priority, weight, port uint16, target string) dnsmessage.ResourceBody {
	return &dnsmessage.SRVResource{Priority: priority, Weight: weight, Port: port, Target: dnsmessage.MustNewName(target)}
}

// MX is a record of RFC 1035 §3.3.9. The host ends with a dot.
func MX(preference uint16, host string) dnsmessage.ResourceBody {
	return &dnsmessage.MXResource{Pref: preference, MX: dnsmessage.MustNewName(host)}
}

// A Server answers over UDP.
type Server struct {
	conn    net.PacketConn
	records Records
	done    sync.WaitGroup

	mu    sync.Mutex
	asked []string
}

// Start starts a server. It listens until Close.
func Start(records Records) (*Server, error) {
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("open a port for DNS: %w", err)
	}
	s := &Server{conn: conn, records: records}
	s.done.Go(s.serve)
	return s, nil
}

// Addr is HOST:PORT.
func (s *Server) Addr() string { return s.conn.LocalAddr().String() }

// Asked gives the names that were asked for, in order.
func (s *Server) Asked() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.asked...)
}

// Close ends the server.
func (s *Server) Close() {
	s.conn.Close()
	s.done.Wait()
}

// Resolver gives one that asks the server at addr and nobody else.
func Resolver(addr string) *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", addr)
	}}
}

func (s *Server) serve() {
	packet := make([]byte, 4096)
	for {
		n, from, err := s.conn.ReadFrom(packet)
		if err != nil {
			return
		}
		var question dnsmessage.Message
		if question.Unpack(packet[:n]) != nil || len(question.Questions) != 1 {
			continue
		}
		answer := s.answer(question)
		if out, err := answer.Pack(); err == nil {
			s.conn.WriteTo(out, from)
		}
	}
}

func (s *Server) answer(m dnsmessage.Message) dnsmessage.Message {
	q := m.Questions[0]
	name := q.Name.String()
	s.mu.Lock()
	s.asked = append(s.asked, name)
	s.mu.Unlock()
	bodies, known := s.records[name]
	a := dnsmessage.Message{Header: dnsmessage.Header{ID: m.ID, Response: true, RecursionAvailable: true}, Questions: m.Questions}
	switch {
	case !known:
		a.RCode = dnsmessage.RCodeNameError
	case len(bodies) == 0:
		a.RCode = dnsmessage.RCodeServerFailure
	}
	for _, b := range bodies {
		h := dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class, TTL: 60}
		a.Answers = append(a.Answers, dnsmessage.Resource{Header: h, Body: b})
	}
	return a
}
