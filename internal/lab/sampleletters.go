package lab

// private is what people write to each other, with alice's answers, as a client that saves them at the server leaves
// them.
func private() []letter {
	const (
		bob   = "Bob Baker <bob@example.com>"
		carol = "Carol Cooper <carol@example.net>"
		boat1 = "<19980302.0915.boat@example.com>"
		boat2 = "<199803021010.KAA01123@example.org>"
		boat3 = "<19980303.0830.boat@example.com>"
		key1  = "<41b2c0aa.7010503@example.net>"
		key2  = "<41b2d117.2080901@example.org>"
		barn1 = "<CAF8q1+xb0Zt4=barn-1@mail.example.com>"
		barn2 = "<5f1e7c2a-0b9d-4d55-a1c8-8e3b7a64f001@example.org>"
		barn3 = "<CAF8q1+xb0Zt4=barn-3@mail.example.com>"
	)
	return []letter{
		{at: at(1998, 3, 2, 9, 20, -500), zone: -500, via: "post.example.com", date: "Mon, 2 Mar 98 09:15:00 EST",
			from: "bob@example.com (Bob Baker)", subject: "the boat", id: boat1,
			rest: plain("Alice,\n\nthe hull is done. Will you come and see it on Saturday?\n\nBob\n")},
		{at: at(1998, 3, 2, 10, 10, -500), zone: -500, from: alice, to: bob, subject: "Re: the boat", id: boat2,
			refs: []string{boat1},
			rest: plain("> Will you come and see it on Saturday?\n\nI will. I bring the paint.\n")},
		{at: at(1998, 3, 3, 8, 31, -500), zone: -500, via: "post.example.com", date: "Tue, 3 Mar 1998 08:30:44 EST",
			from: bob, subject: "Re: the boat", id: boat3, refs: []string{boat1, boat2},
			rest: plain("Blue!\n\n-- \nBob Baker, Boats\n")},
		{at: at(1999, 12, 31, 23, 58, -500), zone: 1300, via: "mail.islands.example.net",
			from: "Dora <dora@islands.example.net>", subject: "It is 2000 here already",
			id:   "<y2k@islands.example.net>",
			rest: plain("and the lights are on. Happy new year, slow ones.\n")},
		{at: at(2004, 12, 5, 12, 1, 0), zone: 100, via: "out.example.net", from: carol, subject: "your key", id: key1,
			rest: plain("Did you leave a key on my kitchen table? It is brass, with a red ribbon.\n\nCarol\n")},
		{at: at(2004, 12, 5, 13, 10, 0), from: alice, to: carol,
			subject: "Re: your key", id: key2, refs: []string{key1},
			rest: plain("Carol Cooper wrote:\n> Did you leave a key on my kitchen table?\n\nNo. Is it still warm?\n")},
		{at: at(2013, 7, 19, 16, 40, 200), zone: -700, via: "mta7.example.com",
			from: bob, to: alice + ",\n " + carol, subject: "The barn", id: barn1,
			rest: mimed(text("plain", "utf-8", "8bit", "We could keep the boat there – if the roof holds.\n\nB.\n"))},
		{at: at(2013, 7, 19, 18, 5, 200), zone: 200, from: alice, to: bob + ",\n " + carol,
			subject: "Re: The barn", id: barn2,
			refs: []string{barn1}, rest: plain("It held in '09. Ask Carol, she has the key.\n")},
		{at: at(2013, 7, 20, 7, 2, 200), zone: -700, via: "mta2.example.com", from: bob,
			subject: "Re: The barn", id: barn3,
			refs: []string{barn1, barn2}, rest: plain("Which key? The one with the red ribbon?\n")},
	}
}

// lists is what programs write: a mailing list, a shop, a daemon.
func lists() []letter {
	const (
		list = "List-Id: Compost <compost.lists.example.net>\nList-Post: <mailto:compost@lists.example.net>\n" +
			"Precedence: list\n"
		foot = "_______________________________________________\nCompost mailing list\n" +
			"http://lists.example.net/compost\n"
		worm1 = "<20080414T063012.worms@lists.example.net>"
		worm2 = "<4802FF12.9070405@garden.example.com>"
		to    = "compost@lists.example.net"
		via   = "lists.example.net"
	)
	return []letter{
		{at: at(2008, 4, 14, 8, 31, 200), zone: 530, via: via, from: "Esha <esha@garden.example.com>", to: to,
			subject: "[compost] Worms in winter", id: worm1,
			rest: list + plain("Where do yours go?\n\n"+foot)},
		{at: at(2008, 4, 14, 9, 2, 200), zone: -330, via: via, from: "Finn <finn@rock.example.net>", to: to,
			subject: "Re: [compost] Worms in winter", id: worm2, refs: []string{worm1},
			rest: list + plain("> Where do yours go?\n\nDown.\n\n"+foot)},
		{at: at(2008, 4, 15, 0, 15, 200), zone: 1245, via: via, from: "Gwen <gwen@far.example.org>", to: to,
			subject: "Re: [compost] Worms in winter", id: "<e41f-0b@far.example.org>", refs: []string{worm1, worm2},
			rest: list + plain("It is summer here. Up, mostly.\n\n"+foot)},
		{at: at(2017, 11, 24, 6, 0, 100), zone: 0, via: "bulk.shop.example.com",
			from:    `"The Lamp Shop" <no-reply@shop.example.com>`,
			subject: "Only today: lamps", id: "<0102015fec@bulk.shop.example.com>",
			rest: "List-Unsubscribe: <https://shop.example.com/u/1>\n" + mimed(multipart("alternative", "lamp-17",
				note("A lamp, 20 % off: https://shop.example.com/lamp\n"),
				text("html", "utf-8", "quoted-printable", "<html><body><h1>Lamps</h1>"+
					"<p style=\"color:#a00\">Today: 20 % off – <a href=\"https://shop.example.com/lamp\">all lamps</a></p>"+
					"</body></html>\n")))},
		{at: at(2019, 1, 7, 3, 14, 100), zone: 0, via: "mx2.example.com",
			from:    "MAILER-DAEMON@mx2.example.com (Mail Delivery System)",
			subject: "Undelivered Mail Returned to Sender", id: "<20190107021412.A1B2C3@mx2.example.com>",
			rest: "Auto-Submitted: auto-replied\n" + mimed(multipart("report; report-type=delivery-status", "A1B2C3.1546",
				note("I'm sorry to have to inform you that your message could not\nbe delivered.\n"),
				"Content-Type: message/delivery-status\n\nReporting-MTA: dns; mx2.example.com\n\n"+
					"Final-Recipient: rfc822; nobody@example.com\nAction: failed\nStatus: 5.1.1\n",
				"Content-Type: text/rfc822-headers\n\nFrom: alice@example.org\nTo: nobody@example.com\n"+
					"Subject: Anybody there?\n"))},
	}
}
