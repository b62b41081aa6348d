package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// source is the whole module, as the tests below read it.
const source = "../.."

// TestEachRemedyIsTested: what an error tells the user to do is asserted somewhere, in a script or in a test of its package. A
// remedy is what is given to a field or a variable of that name; of a table, the texts in it.
func TestEachRemedyIsTested(t *testing.T) {
	found := remedies(t)
	if len(found) < 60 {
		t.Errorf("%d remedies found, want at least 60: are they told in another way now?", len(found))
	}
	asserted := whatTestsSay(t)
	for text, where := range found {
		if !slices.ContainsFunc(distinctive(text), func(words string) bool { return strings.Contains(asserted, words) }) {
			t.Errorf("%s: no test has a part of %q", where, text)
		}
	}
}

// TestRemediesNameWhatThereIs: commands, flags and topics in remedies are there.
func TestRemediesNameWhatThereIs(t *testing.T) {
	var known []string
	for _, c := range everyCommand(program0().root()) {
		known = append(known, strings.TrimPrefix(c.CommandPath(), "pop2imap "))
	}
	for _, topic := range topics() {
		known = append(known, "help "+topic.name)
	}
	for text, where := range remedies(t) {
		for _, m := range regexp.MustCompile(`(?:^|[^f] )pop2imap ((?:help )?[a-z0-9-]+)`).FindAllStringSubmatch(text, -1) {
			if !slices.Contains(known, m[1]) {
				t.Errorf("%s: %q is not there", where, m[0])
			}
		}
	}
}

// remedies gives all there are, with where each is.
func remedies(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	for path, text := range goFiles(t, func(name string) bool { return !strings.HasSuffix(name, "_test.go") }) {
		fset := token.NewFileSet()
		file, err := parser.ParseFile(fset, path, text, 0)
		if err != nil {
			t.Fatal(err)
		}
		take := func(e ast.Expr) {
			for _, words := range literals(e) {
				if strings.Contains(words, " ") {
					found[words] = strings.TrimPrefix(fset.Position(e.Pos()).String(), source+"/")
				}
			}
		}
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.KeyValueExpr:
				if id, ok := n.Key.(*ast.Ident); ok && id.Name == "Remedy" {
					take(n.Value)
				}
			case *ast.AssignStmt:
				for i, left := range n.Lhs {
					if field, ok := left.(*ast.SelectorExpr); ok && field.Sel.Name == "Remedy" {
						take(n.Rhs[min(i, len(n.Rhs)-1)])
					}
				}
			case *ast.ValueSpec: // a constant, a table
				for i, name := range n.Names {
					if i < len(n.Values) && slices.Contains([]string{"remedy", "remedies", "codes", "later", "slower", "addByHand", "otherNames"}, name.Name) {
						take(n.Values[i])
					}
				}
			case *ast.FuncDecl: // one that gives a remedy
				if slices.Contains([]string{"remedy", "another"}, n.Name.Name) {
					ast.Inspect(n.Body, func(in ast.Node) bool {
						if r, ok := in.(*ast.ReturnStmt); ok {
							take(r.Results[0])
						}
						return true
					})
				}
			case *ast.CallExpr: // of the doctor, and of a secret
				if f, ok := n.Fun.(*ast.SelectorExpr); ok && f.Sel.Name == "warn" && len(n.Args) > 2 {
					take(n.Args[2])
				} else if ok && f.Sel.Name == "problem" && len(n.Args) == 2 {
					take(n.Args[1])
				}
			}
			return true
		})
	}
	return found
}

// literals are the texts in an expression; those that are added to each other are one.
func literals(e ast.Expr) (list []string) {
	ast.Inspect(e, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.BinaryExpr:
			if n.Op == token.ADD {
				list = append(list, sum(n.X)+sum(n.Y))
				return false
			}
		case *ast.BasicLit:
			if n.Kind == token.STRING {
				text, err := strconv.Unquote(n.Value)
				if err == nil {
					list = append(list, text)
				}
			}
		}
		return true
	})
	return list
}

// sum is a text that is added to another; what is no text is filled in.
func sum(e ast.Expr) string {
	if all := literals(e); len(all) > 0 {
		return strings.Join(all, "")
	}
	return "%v"
}

// distinctive gives the parts of a text between what is filled in: each run of four words, or all there are if they are fewer.
func distinctive(text string) (parts []string) {
	const enough = 4
	for _, run := range regexp.MustCompile(`%[a-z0-9.]+`).Split(text, -1) {
		words := strings.Fields(run)
		if len(words) < 2 {
			continue
		}
		for i := 0; i+min(enough, len(words)) <= len(words); i++ {
			parts = append(parts, bare(strings.Join(words[i:i+min(enough, len(words))], " ")))
		}
	}
	return parts
}

// bare takes off what a regular expression or a string of Go adds.
func bare(text string) string {
	return strings.NewReplacer(`\`, "", `''`, "'").Replace(text)
}

// whatTestsSay is the text of all tests and scripts but this one.
func whatTestsSay(t *testing.T) string {
	t.Helper()
	var all strings.Builder
	for _, text := range goFiles(t, func(name string) bool {
		return strings.HasSuffix(name, "_test.go") && name != "remedies_test.go"
	}) {
		all.WriteString(bare(text))
	}
	for _, text := range scripts(t, "*") {
		all.WriteString(bare(text))
	}
	return all.String()
}

// goFiles gives the texts of the files of the program whose names are wanted, by path.
func goFiles(t *testing.T, want func(name string) bool) map[string]string {
	t.Helper()
	texts := map[string]string{}
	for _, dir := range []string{"cmd", "sync", "state", "internal"} {
		err := filepath.WalkDir(filepath.Join(source, dir), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || !want(d.Name()) {
				return err
			}
			text, err := os.ReadFile(path)
			texts[path] = string(text)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return texts
}
