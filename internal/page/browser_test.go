package page

import (
	"cmp"
	"context"
	"fmt"
	"image/png"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	stdsync "sync"
	"testing"
	"time"
)

// browser finds a Chromium. install.sh brings it only in CI: it takes 375 MB.
func browser(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Skip("no Chromium here: the page is not looked at (apt-get install chromium)")
	return ""
}

// browse has the browser load a page of a site, and gives what it printed on stdout and stderr.
func browse(t *testing.T, path string, args ...string) (dom, talk string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	home := t.TempDir()
	args = append([]string{"--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run",
		"--user-data-dir=" + home, "--enable-logging=stderr", "--disable-background-networking", "--dump-dom"}, args...)
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Env = append(os.Environ(), "HOME="+home)
	var out, err strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &err
	if e := cmd.Run(); e != nil {
		t.Fatalf("%v\n%s", e, err.String())
	}
	return out.String(), err.String()
}

// frame shows the page as on a screen of that width, and says how wide its content is.
const frame = `<!DOCTYPE html><html style="color-scheme: light dark"><body style="margin:0">
<iframe id="f" src="/report.html" style="width:%[1]dpx;height:%[2]dpx;border:0"></iframe><p id="told"></p>
<script>
onload = () => {
	const d = document.getElementById("f").contentDocument;
	const wide = [...d.querySelectorAll("body *")].filter(e => e.getBoundingClientRect().right > %[1]d + 1 && !e.closest(".ticks"));
	document.getElementById("told").textContent = "scrolls " + d.documentElement.scrollWidth + ", " + wide.length + " too wide: " +
		wide.slice(0, 3).map(e => e.outerHTML.slice(0, 80)).join(" ") + "; scheme " + getComputedStyle(d.body).backgroundColor +
		"; bars " + d.querySelectorAll(".columns span").length + ", height " + Math.round(d.querySelector(".columns .some").getBoundingClientRect().height);
};
</script>`

// site serves the page and the frame, and notes what is asked for.
func site(t *testing.T, text string) (url string, asked func() []string) {
	var mu stdsync.Mutex
	var all []string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		all = append(all, r.URL.String())
		mu.Unlock()
		var width, height int
		switch {
		case r.URL.Path == "/report.html":
			fmt.Fprint(w, text)
		case r.URL.Path == "/favicon.ico": // a browser asks for it
			w.WriteHeader(http.StatusNoContent)
		default:
			fmt.Sscanf(r.URL.Path, "/frame/%d/%d", &width, &height)
			fmt.Fprintf(w, frame, width, height)
		}
	}))
	t.Cleanup(s.Close)
	return s.URL, func() []string {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(all)
	}
}

// TestPageInABrowser looks at the page on a desk and on a phone, light and dark: nothing sticks out, nothing is loaded, and the
// browser has nothing to say. With SCREENSHOTS=DIR the pictures are kept.
func TestPageInABrowser(t *testing.T) {
	chromium := browser(t)
	list := gallery()
	bars := 0
	for _, r := range list[:2] {
		some, _ := timeBars(r.Overview.Months, made)
		bars += len(some)
	}
	for scheme, c := range map[string]struct{ setting, background string }{
		"light": {"1", "rgb(255, 255, 255)"}, "dark": {"0", "rgb(20, 22, 26)"},
	} {
		for _, width := range []int{360, 1100} {
			t.Run(fmt.Sprint(scheme, " ", width), func(t *testing.T) {
				url, asked := site(t, HTML(list, made, "pop2imap"))
				path := filepath.Join(cmp.Or(os.Getenv("SCREENSHOTS"), t.TempDir()), fmt.Sprintf("%s-%d.png", scheme, width))
				dom, talk := browse(t, chromium, "--blink-settings=preferredColorScheme="+c.setting, "--window-size=1100,4000",
					"--screenshot="+path, fmt.Sprintf("%s/frame/%d/4000", url, width))
				_, told, _ := strings.Cut(dom, `<p id="told">`)
				told, _, _ = strings.Cut(told, "</p>")
				want := fmt.Sprintf("scrolls %d, 0 too wide: ; scheme %s; bars %d, height ", width, c.background, bars)
				if !regexp.MustCompile(`^` + regexp.QuoteMeta(want) + `[1-9]`).MatchString(told) {
					t.Errorf("got  %s\nwant %s", told, want)
				}
				if strings.Contains(talk, ":CONSOLE") {
					t.Errorf("the console says:\n%s", talk)
				}
				for _, what := range asked() {
					if what != "/report.html" && what != "/favicon.ico" && !strings.HasPrefix(what, "/frame/") {
						t.Errorf("it asked for %s", what)
					}
				}
				if n := colours(t, path); n < 20 {
					t.Errorf("the picture has %d colours only", n)
				}
			})
		}
	}
}

// colours counts those of a picture.
func colours(t *testing.T, path string) int {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	picture, err := png.Decode(file)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[any]bool{}
	for y := 0; y < picture.Bounds().Dy(); y += 3 { // a text has enough of them
		for x := 0; x < picture.Bounds().Dx(); x += 3 {
			seen[picture.At(x, y)] = true
		}
	}
	return len(seen)
}

// TestTheBrowserWouldTell makes sure that the test above can fail.
func TestTheBrowserWouldTell(t *testing.T) {
	chromium := browser(t)
	bad := strings.Replace(HTML(gallery()[:1], made, "pop2imap"), "<main>",
		`<main><img src="/picture.png"><script>console.error("no")</script><div style="width:900px">wide</div>`, 1)
	url, asked := site(t, bad)
	dom, talk := browse(t, chromium, url+"/frame/360/2600")
	if strings.Contains(dom, "scrolls 360") || !strings.Contains(talk, ":CONSOLE") {
		t.Errorf("it did not tell: %.500s\n%s", dom, talk)
	}
	if slices.Contains(asked(), "/picture.png") {
		t.Error("the policy of the page let a picture be loaded")
	}
}
