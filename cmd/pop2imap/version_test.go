package main

import (
	"regexp"
	"runtime/debug"
	"testing"
)

func TestBuilt(t *testing.T) {
	vcs := func(modified string) []debug.BuildSetting {
		return []debug.BuildSetting{{Key: "vcs.revision", Value: "0123456789abcdef0123456789abcdef01234567"},
			{Key: "vcs.time", Value: "2026-11-25T03:00:00Z"}, {Key: "vcs.modified", Value: modified}}
	}
	for _, c := range []struct {
		name, release, version string
		settings               []debug.BuildSetting
		want                   string
	}{
		{"go install of a release", "", "v1.2.3", nil, "pop2imap v1.2.3"},
		{"go install of a commit", "", "v0.0.0-20261125030000-0123456789ab", nil, "pop2imap v0.0.0-20261125030000-0123456789ab"},
		{"a clone at a tag", "", "v1.2.3", vcs("false"), "pop2imap v1.2.3, commit 0123456789ab of 2026-11-25T03:00:00Z"},
		{"a clone with changes", "", "v1.2.4-0.20261125030000-0123456789ab+dirty", vcs("true"),
			"pop2imap v1.2.4-0.20261125030000-0123456789ab+dirty, commit 0123456789ab of 2026-11-25T03:00:00Z with changes"},
		{"a tarball, by a packager", "v1.2.3", "(devel)", nil, "pop2imap v1.2.3"},
		{"a tarball", "", "(devel)", nil, "pop2imap (devel)"},
		{"without modules", "", "", nil, "pop2imap (devel)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			info := &debug.BuildInfo{Main: debug.Module{Version: c.version}, Settings: c.settings}
			got := regexp.MustCompile(`, go[0-9.]+.*$`).ReplaceAllString(built(c.release, info), "")
			if got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}
