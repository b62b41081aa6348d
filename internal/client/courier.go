package client

import (
	"bufio"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// courierKeywords reads the keywords that Courier keeps of the messages of a Maildir, by the name of the file without
// what follows the colon. In courierimapkeywords a file with the name of a message has its keywords, one a line, and
// of ".N.NAME" the highest N is newer than that. Those of older messages are together in ":list": all keywords, one a
// line; a blank line; and then "NAME:" with the numbers of its keywords, from 0.
func courierKeywords(maildir string) (map[string][]string, error) {
	path := filepath.Join(maildir, "courierimapkeywords")
	entries, err := os.ReadDir(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	words, err := courierList(filepath.Join(path, ":list"))
	if err != nil {
		return nil, err
	}
	newest := map[string]int{}
	for _, entry := range entries {
		name, age := entry.Name(), 0
		if parts := courierNewer.FindStringSubmatch(name); parts != nil {
			age, _ = strconv.Atoi(parts[1])
			age, name = age+1, parts[2]
		}
		if seen, again := newest[name]; !entry.Type().IsRegular() || name == ":list" || again && seen > age {
			continue
		}
		newest[name] = age
		text, err := readStart(filepath.Join(path, entry.Name()))
		if err != nil {
			return nil, err
		}
		words[name] = strings.Fields(text)
	}
	return words, nil
}

var courierNewer = regexp.MustCompile(`^\.(\d{1,9})\.(.+)$`)

// courierList reads ":list". It has a line for each message.
func courierList(path string) (map[string][]string, error) {
	words := map[string][]string{}
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return words, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var all []string
	in := bufio.NewScanner(f)
	for in.Scan() && in.Text() != "" {
		all = append(all, in.Text())
	}
	for in.Scan() {
		name, numbers, _ := strings.Cut(in.Text(), ":")
		for number := range strings.FieldsSeq(numbers) {
			if n, err := strconv.Atoi(number); err == nil && n >= 0 && n < len(all) {
				words[name] = append(words[name], all[n])
			}
		}
	}
	return words, in.Err()
}

// readStart reads a small file, or the beginning of what should have been one.
func readStart(path string) (string, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) { // its server has just removed it
		return "", nil
	}
	if err != nil {
		return "", err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxText))
	return string(text), err
}
