package sabotage_test

import (
	"go/ast"
	"go/build"
	"go/constant"
	"go/parser"
	"go/token"
	"go/types"
	"maps"
	"slices"
	"strings"
	"testing"
)

// removed compiles the package with one build tag, or none, and gives the constants that are true.
func removed(t *testing.T, tags ...string) (names []string) {
	t.Helper()
	context := build.Default
	context.BuildTags = tags
	folder, err := context.ImportDir(".", 0)
	if err != nil {
		t.Fatal(err)
	}
	set := token.NewFileSet()
	var files []*ast.File
	for _, name := range folder.GoFiles {
		file, err := parser.ParseFile(set, name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	config := types.Config{}
	p, err := config.Check("sabotage", set, files, nil)
	if err != nil {
		t.Fatalf("with %v: %v", tags, err)
	}
	for _, name := range p.Scope().Names() {
		if c, ok := p.Scope().Lookup(name).(*types.Const); ok && c.Exported() && constant.BoolVal(c.Val()) {
			names = append(names, name)
		}
	}
	return names
}

var tags = map[string]string{
	"sabotage_no_intent":               "NoIntent",
	"sabotage_intent_not_synced":       "IntentNotSynced",
	"sabotage_no_settle":               "NoSettle",
	"sabotage_shared_claims":           "SharedClaims",
	"sabotage_uidnext_proof":           "UIDNextProof",
	"sabotage_dele_before_verified":    "DeleBeforeVerified",
	"sabotage_numbers_across_sessions": "NumbersAcrossSessions",
	"sabotage_empty_listing_believed":  "EmptyListingBelieved",
	"sabotage_blind_retry":             "BlindRetry",
}

func TestNormalBuildRemovesNothing(t *testing.T) {
	if got := removed(t); len(got) > 0 {
		t.Errorf("removed without a tag: %v", got)
	}
}

func TestEachTagRemovesItsSafeguard(t *testing.T) {
	for tag, want := range tags {
		if got := removed(t, tag); !slices.Equal(got, []string{want}) {
			t.Errorf("%s removes %v, want %s", tag, got, want)
		}
	}
}

// run.sh takes the tags from the names of the files.
func TestEachTagHasItsFile(t *testing.T) {
	folder, err := build.Default.ImportDir(".", 0)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, file := range folder.IgnoredGoFiles {
		got = append(got, "sabotage_"+strings.TrimSuffix(file, ".go"))
	}
	slices.Sort(got)
	if want := slices.Sorted(maps.Keys(tags)); !slices.Equal(got, want) {
		t.Errorf("files for %v, want %v", got, want)
	}
}
