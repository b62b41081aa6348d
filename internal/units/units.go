// Package units reads sizes and ages as users write them: on the command line (pflag.Value), in the environment and in
// the config file (encoding.TextUnmarshaler). The zero value of each means that it was not given;
// what String gives, Set takes. And it counts things in words.
package units

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// A Size is a number of octets: 500, 25M, 1.5GiB. K, M and G are powers of 1024, as mail servers count.
type Size int64

func (s *Size) Set(text string) error {
	number := strings.TrimRight(strings.ToUpper(strings.TrimSpace(text)), "IB")
	factor := 1.0
	for i, unit := range []string{"K", "M", "G", "T"} {
		if n, ok := strings.CutSuffix(number, unit); ok {
			number, factor = n, math.Pow(1024, float64(i+1))
		}
	}
	n, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	if err != nil || !(n >= 1/factor) || n*factor >= math.MaxInt64 {
		return errors.New("not a size such as 500, 25M or 1.5G")
	}
	*s = Size(n * factor)
	return nil
}

func (s *Size) UnmarshalText(text []byte) error { return s.Set(string(text)) }

func (s *Size) String() string {
	if *s == 0 {
		return ""
	}
	return strconv.FormatInt(int64(*s), 10)
}

func (s *Size) Type() string { return "SIZE" }

// An Age is a time span: 12h, 30d, 2w, 1y (365 days).
type Age time.Duration

func (a *Age) Set(text string) error {
	text = strings.TrimSpace(text)
	units := map[byte]time.Duration{'h': time.Hour, 'd': 24 * time.Hour, 'w': 7 * 24 * time.Hour, 'y': 365 * 24 * time.Hour}
	if text != "" {
		unit := units[text[len(text)-1]]
		n, err := strconv.ParseUint(text[:len(text)-1], 10, 32)
		if err == nil && unit > 0 && n > 0 && n <= uint64(math.MaxInt64/unit) {
			*a = Age(time.Duration(n) * unit)
			return nil
		}
	}
	return errors.New("not an age such as 12h, 30d, 2w or 1y")
}

func (a *Age) String() string {
	switch h := int64(time.Duration(*a) / time.Hour); {
	case h == 0:
		return ""
	case h%(365*24) == 0:
		return fmt.Sprintf("%dy", h/(365*24))
	case h%24 == 0:
		return fmt.Sprintf("%dd", h/24)
	default:
		return fmt.Sprintf("%dh", h)
	}
}

func (a *Age) Type() string { return "AGE" }
