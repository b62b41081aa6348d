package client

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// open reads what is at path.
func (c *Client) open(ctx context.Context, path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("read the mail of the old client: %w", err)
	}
	found := false
	switch {
	case info.IsDir():
		found, err = c.openFolder(ctx, path)
	case info.Mode().IsRegular():
		found, err = c.openFile(ctx, path)
		found = found || info.Size() == 0
	}
	if err != nil {
		return fmt.Errorf("read the mail of the old client: %w", err)
	}
	if !found {
		return fmt.Errorf("no mail of a client at %s: expected a Thunderbird profile (a folder with prefs.js and Mail), "+
			`an mbox file (it begins with "From "), a Maildir (a folder with cur and new), or a folder of such`, path)
	}
	return nil
}

// openFolder reads a folder and those in it. Of a Thunderbird profile that is Mail: what stands beside it is no mail,
// or copies of mail on IMAP servers, whose flags Thunderbird keeps elsewhere.
func (c *Client) openFolder(ctx context.Context, path string) (found bool, err error) {
	if exists(filepath.Join(path, "prefs.js")) {
		path = filepath.Join(path, "Mail")
	}
	err = filepath.WalkDir(path, func(path string, entry fs.DirEntry, err error) error {
		here := false
		switch {
		case err != nil:
			return err
		case ctx.Err() != nil:
			return ctx.Err()
		case entry.IsDir() && (isNoMail(entry.Name()) || isMaildirPart(path)):
			return fs.SkipDir
		case entry.IsDir() && isMaildir(path):
			here, err = true, c.readMaildir(ctx, path)
		case entry.Type().IsRegular() && !isMaildir(filepath.Dir(path)):
			here, err = c.openFile(ctx, path)
		}
		found = found || here
		return err
	})
	if errors.Is(err, fs.ErrNotExist) && filepath.Base(path) == "Mail" && !exists(path) {
		return false, nil // a profile without local mail
	}
	return found, err
}

// openFile reads a file if it is an mbox or a popstate.dat.
func (c *Client) openFile(ctx context.Context, path string) (found bool, err error) {
	f, err := os.Open(path)
	if err != nil {
		return false, err
	}
	defer f.Close()
	in := patient{ctx, f}
	if filepath.Base(path) == "popstate.dat" {
		return true, c.readPopstate(in)
	}
	start := make([]byte, len("From "))
	if _, err := io.ReadFull(in, start); errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return false, nil
	} else if err != nil {
		return false, err
	}
	if !bytes.Equal(start, []byte("From ")) {
		return false, nil
	}
	return true, c.readMbox(io.MultiReader(bytes.NewReader(start), in), isTrash(path))
}

// isTrash says whether a mailbox is the trash, as Thunderbird and Maildir++ name it.
func isTrash(path string) bool {
	return strings.TrimPrefix(filepath.Base(path), ".") == "Trash"
}

func isMaildir(path string) bool {
	return isFolder(filepath.Join(path, "cur")) && isFolder(filepath.Join(path, "new"))
}

// isNoMail says whether in a folder of this name there is nothing to read: copies of mail on IMAP servers, of news,
// and Courier's keywords.
func isNoMail(name string) bool {
	return name == "ImapMail" || name == "News" || name == "courierimapkeywords"
}

// isMaildirPart says whether a folder is cur, new or tmp of a Maildir.
func isMaildirPart(path string) bool {
	switch filepath.Base(path) {
	case "cur", "new", "tmp":
		return isMaildir(filepath.Dir(path))
	}
	return false
}

func isFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
