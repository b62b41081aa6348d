package config

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2/unstable"
)

// lines tells on which line of a TOML file a key stands, or the header of a table. Keys are of one map with their path.
type lines map[string]int

func dotted(keys []string) string { return strings.Join(keys, "\x00") }

// linesOf goes through a file that is known to be TOML.
func linesOf(text []byte) lines {
	l := lines{}
	var p unstable.Parser
	p.Reset(text)
	var table []string
	for p.NextExpression() {
		e := p.Expression()
		switch e.Kind {
		case unstable.Table, unstable.ArrayTable:
			table = l.note(&p, nil, e.Key())
		case unstable.KeyValue:
			l.value(&p, table, e)
		}
	}
	return l
}

// value notes a key, and those of a table in braces behind it.
func (l lines) value(p *unstable.Parser, in []string, kv *unstable.Node) {
	at := l.note(p, in, kv.Key())
	if v := kv.Value(); v.Kind == unstable.InlineTable {
		for inner := v.Children(); inner.Next(); {
			l.value(p, at, inner.Node())
		}
	}
}

// note notes each part of a dotted key where it comes first, and gives its whole path.
func (l lines) note(p *unstable.Parser, in []string, key unstable.Iterator) []string {
	in = slices.Clone(in)
	for key.Next() {
		in = append(in, string(key.Node().Data))
		if _, ok := l[dotted(in)]; !ok {
			l[dotted(in)] = p.Shape(key.Node().Raw).Start.Line
		}
	}
	return in
}

// of is the line of a key, or of the table that it would be in.
func (l lines) of(keys ...string) int {
	for ; len(keys) > 0; keys = keys[:len(keys)-1] {
		if n, ok := l[dotted(keys)]; ok {
			return n
		}
	}
	return 1
}

// inOrder gives the keys of a table in the order of the file.
func (l lines) inOrder(t map[string]any, in ...string) []string {
	return slices.SortedFunc(maps.Keys(t), func(a, b string) int {
		line := func(name string) int { return l.of(append(slices.Clone(in), name)...) }
		return cmp.Or(line(a)-line(b), cmp.Compare(a, b))
	})
}
