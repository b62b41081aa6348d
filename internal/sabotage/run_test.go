package sabotage_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// module has one test, which fails when the safeguard of x.go is removed by the value 1.
var module = map[string]string{
	"go.mod":  "module m\n\ngo 1.26\n",
	"none.go": "//go:build !sabotage_x\n\npackage m\n\nconst removed = 0\n",
	"m_test.go": "package m\n\nimport \"testing\"\n\n" +
		"func TestIt(t *testing.T) {\n\tif removed == 1 {\n\t\tt.Fatal()\n\t}\n}\n",
}

func TestRun(t *testing.T) {
	script, err := os.ReadFile("run.sh")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		removed, said string
		ok            bool
	}{
		"noticed":          {"const removed = 1", "sabotage_x: noticed by TestIt\n", true},
		"not noticed":      {"const removed = 2", "sabotage_x: NOT NOTICED: every test passed\n", false},
		"does not compile": {"const removed = nothing", "sabotage_x: does not compile\n", false},
		"panics":           {"const removed = 0\n\nfunc init() { panic(1) }", "sabotage_x: noticed by panic: 1\n", true},
	} {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			files := map[string]string{"run.sh": string(script), "x.go": "//go:build sabotage_x\n\npackage m\n\n" + c.removed + "\n"}
			for _, all := range []map[string]string{module, files} {
				for file, content := range all {
					if err := os.WriteFile(filepath.Join(folder, file), []byte(content), 0o600); err != nil {
						t.Fatal(err)
					}
				}
			}
			command := exec.Command("sh", "run.sh", ".")
			command.Dir = folder
			out, err := command.CombinedOutput()
			if !strings.HasSuffix(string(out), c.said) || (err == nil) != c.ok {
				t.Errorf("got %q, %v; want %q at the end", out, err, c.said)
			}
		})
	}
}
