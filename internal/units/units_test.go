package units_test

import (
	"testing"
	"time"

	"github.com/pop2imap/pop2imap/internal/units"
)

func TestSize(t *testing.T) {
	for text, want := range map[string]units.Size{
		"1": 1, "500": 500, "25M": 25 << 20, "1.5 GiB": 3 << 29, "2kb": 2048, " 1T ": 1 << 40,
		"0": 0, "-1": 0, "much": 0, "9e99": 0, "nan": 0, "": 0, "0.5": 0, // refused
	} {
		var got units.Size
		if err := got.UnmarshalText([]byte(text)); got != want || (err == nil) != (want > 0) {
			t.Errorf("%q: got %d, %v, want %d", text, got, err, want)
		}
	}
}

func TestAge(t *testing.T) {
	day := units.Age(24 * time.Hour)
	for text, want := range map[string]units.Age{
		"12h": day / 2, "30d": 30 * day, "2w": 14 * day, " 1y ": 365 * day,
		"0d": 0, "-1d": 0, "30": 0, "1m": 0, "d": 0, "300y": 0, "": 0, // refused
	} {
		var got units.Age
		if err := got.Set(text); got != want || (err == nil) != (want > 0) {
			t.Errorf("%q: got %v, %v, want %v", text, got.String(), err, want.String())
		}
		if want == 0 {
			continue
		}
		if err := got.Set(got.String()); err != nil || got != want {
			t.Errorf("%q: %s read again gives %v, %v", text, want.String(), got.String(), err)
		}
	}
}
