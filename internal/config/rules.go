package config

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"

	"github.com/pop2imap/pop2imap/internal/rules"
)

// takeRules takes the rules of an account, [[accounts.NAME.rules]], out of its keys.
func (a *Account) takeRules(keys map[string]any) error {
	written, ok := keys["rules"]
	if !ok {
		return nil
	}
	delete(keys, "rules")
	line := a.file.lines.of("accounts", a.Name, "rules")
	tables, ok := written.([]any)
	if !ok {
		return a.file.at(line, "rules are tables: write [[accounts.%s.rules]] above each", a.Name)
	}
	list := make([]rules.Rule, len(tables))
	for i, table := range tables {
		if err := decodeRule(table, &list[i]); err != nil {
			return a.file.at(line, "rule %d: %w", i+1, err)
		}
	}
	var err error
	if a.rules, err = rules.Compile(list); err != nil {
		return a.file.at(line, "%w", err)
	}
	return nil
}

// decodeRule reads one of them.
func decodeRule(written any, r *rules.Rule) error {
	keys, ok := written.(map[string]any)
	if !ok {
		return fmt.Errorf("it must be a table")
	}
	known := ruleKeys()
	for _, name := range slices.Sorted(maps.Keys(keys)) {
		if !slices.Contains(known, name) {
			return fmt.Errorf("unknown key %q%s", name, Meant(name, known))
		}
		text, err := toml.Marshal(map[string]any{name: keys[name]}) // one at a time: errors do not say which it is
		if err == nil {
			err = toml.Unmarshal(text, r)
		}
		if err != nil {
			return fmt.Errorf("%s: %s", name, strings.TrimPrefix(err.Error(), "toml: "))
		}
	}
	return nil
}

// ruleKeys are the keys of a rule.
func ruleKeys() (names []string) {
	for field := range reflect.TypeFor[rules.Rule]().Fields() {
		names = append(names, field.Tag.Get("toml"))
	}
	return names
}
