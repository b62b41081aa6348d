package message

import (
	"regexp"
	"strconv"
	"strings"
)

// maxVerdicts is how many verdicts of one header are heard.
const maxVerdicts = 32

// A verdict is what a filter, or the user, holds of a message.
type verdict struct {
	said        string
	spam, phish bool // neither: it is good
	weak        bool // only a score; a verdict of the same header outweighs it
	sure        bool // it stands where no sender can write, or it is the user's own
	above       bool // it stands above the topmost Received, if there is one
	exchange    bool // Exchange takes such a field out of mail from outside
}

type verdicts struct {
	list     []verdict
	received string // the topmost Received; "" if there is none
}

func (v *verdicts) take(f Field) {
	if f.Name == "received" && f.Above {
		v.received = f.Text()
	}
}

func (v *verdicts) add(d verdict) {
	if len(v.list) < maxVerdicts {
		v.list = append(v.list, d)
	}
}

func (r *reading) verdict(v verdict) {
	v.sure, v.above = r.believed, r.above
	r.spam.add(v)
}

// yesOrNo reads the verdict of SpamAssassin ("Yes, score=…"), rspamd, bogofilter and DSPAM. Their "no" is no $NotJunk:
// that is what a human says.
func (r *reading) yesOrNo(field, text string) {
	word, _, _ := strings.Cut(strings.ToLower(text), ",")
	switch strings.TrimSpace(word) {
	case "yes", "true", "spam":
		r.verdict(verdict{said: field, spam: true})
	case "no", "false", "ham", "innocent", "whitelisted":
		r.verdict(verdict{said: field})
	}
}

// stars reads the score of SpamAssassin, one asterisk a point: five make spam if nobody has set another limit.
func (r *reading) stars(field, text string) {
	if strings.HasPrefix(text, "*****") {
		r.verdict(verdict{said: field, spam: true, weak: true})
	}
}

// maxSCL is the highest spam confidence level of Exchange that goes to the inbox.
const maxSCL = 4

func (r *reading) scl(field, text string) {
	if level, err := strconv.Atoi(text); err == nil {
		r.verdict(verdict{said: field, spam: level > maxSCL, exchange: true})
	}
}

// forefront reads the report of Exchange Online: SFV is the filter's verdict, CAT the category.
func (r *reading) forefront(field, text string) {
	for _, part := range strings.Split(strings.ToUpper(text), ";") {
		switch key, value, _ := strings.Cut(strings.TrimSpace(part), ":"); {
		case key == "CAT" && (value == "PHSH" || value == "HPHSH" || value == "HPHISH"):
			r.verdict(verdict{said: field + ": " + value, spam: true, phish: true, exchange: true})
		case key == "SFV" && (value == "SPM" || value == "SKS" || value == "SKB"):
			r.verdict(verdict{said: field + ": " + value, spam: true, exchange: true})
		}
	}
}

// The hop into Exchange, without comments.
var exchangeHop = regexp.MustCompile(`(?i) by \S+ with Microsoft SMTP Server\b`)

// judge draws the sum of the verdicts.
func (r *reading) judge() {
	received := withoutComments(r.spam.received)
	exchange := exchangeHop.MatchString(" " + strings.Join(strings.Fields(received), " "))
	var heard []verdict
	good := false
	for _, v := range r.spam.list {
		switch {
		case v.sure, v.above && received != "", v.exchange && exchange:
			heard = append(heard, v)
			good = good || !v.spam
		case v.spam:
			r.doubt("spam", v.said, senders)
		}
	}
	for _, v := range heard {
		switch {
		case !v.spam:
		case r.has("$NotJunk"):
			r.doubt("spam", v.said, "the user said that it is not")
		case v.weak && good:
			r.doubt("spam", v.said, "another field says that it is not")
		default:
			r.convict(v)
		}
	}
}

// convict notes that the message is spam.
func (r *reading) convict(v verdict) {
	if r.tells.Junk == "" {
		r.tells.Junk = v.said
	}
	if !r.facts.Junk {
		return
	}
	r.give("$Junk", v.said)
	if v.phish {
		r.give("$Phishing", v.said)
	}
}
