package lab

import (
	"encoding/binary"
	"strings"
)

// enclosures is mail with files in it.
func enclosures() []letter {
	const csv = "year;hull;paint\r\n1998;1;blue\r\n1999;0;\r\n"
	return []letter{
		{at: at(2002, 6, 17, 14, 3, 200), zone: 200, via: "smtp.example.net", from: "Hans <hans@example.net>",
			subject: "Accounts", id: "<3D0DD3A1.5C2E@example.net>",
			rest: mimed(multipart("mixed", "------------4D1F0E3B2C", note("Here they are.\n"),
				file("text/csv", `filename="accounts.csv"`, []byte(csv))))},
		{at: at(2006, 9, 2, 20, 45, 200), zone: -400, via: "phone.example.com", from: "Ida <ida@example.com>",
			subject: "Picture", id: "<1157222711@phone.example.com>",
			rest: mimed(multipart("mixed", "ida+1", file("image/bmp", `filename="sunset.bmp"`, bitmap(48, 32))))},
		{at: at(2011, 2, 28, 11, 30, 100), zone: 100, via: "mail.example.com",
			from:    words('Q', "Jörn Kühn") + " <joern@example.com>",
			subject: words('Q', "Verträge für März"), id: "<2011-02-28.7@example.com>",
			rest: mimed(multipart("mixed", "joern=",
				text("plain", "utf-8", "quoted-printable", "Bitte unterschreiben.\n\nGrüße,\nJörn\n"),
				file("application/pdf", "filename*=utf-8''Vertr%C3%A4ge%20M%C3%A4rz.pdf", []byte(smallPDF))))},
		{at: at(2015, 8, 9, 22, 12, 200), zone: 900, via: "out.far.example.org", from: "Kenji <kenji@far.example.org>",
			subject: "Fwd: the boat", id: "<55c7b4e0@far.example.org>",
			rest: mimed(multipart("mixed", "fwd-7", note("Look what I found.\n"),
				"Content-Type: message/rfc822\nContent-Disposition: inline\n\n"+
					"From: Bob Baker <bob@example.com>\nTo: kenji@far.example.org\nSubject: the boat\n"+
					"Date: Sat, 7 Mar 1998 17:00:00 -0500\nMessage-ID: <19980307.1700.boat@example.com>\n\nShe floats.\n"))},
		{at: at(2018, 5, 26, 17, 55, 200), zone: 200, via: "smtp.example.net", from: "Carol Cooper <carol@example.net>",
			subject: "The barn, from above", id: "<barn-from-above@example.net>",
			rest: mimed(multipart("mixed", "big", note("It is a big picture, sorry.\n"),
				file("image/bmp", `filename="barn.bmp"`, bitmap(256, 196))))},
		{at: at(2022, 10, 3, 9, 0, 200), zone: 200, via: "cal.example.com", from: "Bob Baker <bob@example.com>",
			subject: "Invitation: launch", id: "<launch-2022@cal.example.com>",
			rest: mimed(multipart("alternative", "cal", note("Launch of the boat, 8 October, 10:00\n"),
				"Content-Type: text/calendar; method=REQUEST; charset=utf-8\n\nBEGIN:VCALENDAR\nVERSION:2.0\n"+
					"PRODID:-//Example//Cal//EN\nMETHOD:REQUEST\nBEGIN:VEVENT\nUID:launch-2022@cal.example.com\n"+
					"DTSTAMP:20221003T070000Z\nDTSTART:20221008T080000Z\nSUMMARY:Launch\nEND:VEVENT\nEND:VCALENDAR\n"))},
	}
}

// bitmap is a picture of a sunset in a format that any viewer knows and that takes no library to write.
func bitmap(width, height int) []byte {
	const header = 54
	row := (width*3 + 3) / 4 * 4
	b := append([]byte("BM"), make([]byte, header-2)...)
	sizes := map[int]int{2: header + row*height, 10: header, 14: 40, 18: width, 22: height, 34: row * height}
	for at, n := range sizes {
		binary.LittleEndian.PutUint32(b[at:], uint32(n))
	}
	b[26], b[28] = 1, 24 // planes, bits a pixel
	for y := range height {
		line := make([]byte, row)
		for x := range width {
			copy(line[x*3:], []byte{byte(255 * y / height), byte(90 + x%32), byte(255 - 160*y/height)}) // blue, green, red
		}
		b = append(b, line...)
	}
	return b
}

// smallPDF is a page with nothing on it.
var smallPDF = strings.Join([]string{"%PDF-1.1", "1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj",
	"2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj",
	"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]>>endobj",
	"trailer<</Root 1 0 R>>", "%%EOF", ""}, "\n")
