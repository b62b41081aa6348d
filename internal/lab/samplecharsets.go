package lab

// alphabets is mail in other languages than English, in the charsets and encodings of its time.
func alphabets() []letter {
	const spanish = "¡Hola!\n\n¿Qué tal el año? Aquí todo bien; la niña ya habla.\n\nJosé\n"
	const german = "Schöne Grüße aus Köln,\nes regnet wie immer.\n\n.. und .. so weiter\n"
	return []letter{
		{at: at(1999, 5, 11, 18, 22, 200), zone: 200, via: "mail.koeln.example.net",
			from:    words('Q', "Käthe") + " <kaethe@koeln.example.net>",
			subject: words('Q', "Grüße aus Köln"), id: "<m10hIQk-000a1bC@koeln.example.net>",
			rest: mimed(text("plain", "iso-8859-1", "8bit", latin1(german)))},
		{at: at(2001, 10, 8, 7, 15, 200), zone: 100, via: "smtp.sevilla.example.com",
			from:    words('Q', "José Núñez") + " <jose@sevilla.example.com>",
			subject: "=?ISO-8859-1?Q?=BFQu=E9_tal=3F?=", id: "<002801c14fc4$5d2b@sevilla.example.com>",
			rest: mimed(text("plain", "iso-8859-1", "quoted-printable", latin1(spanish)))},
		{at: at(2003, 8, 21, 4, 40, 200), zone: 900, via: "mx.osaka.example.org",
			from:    "=?ISO-2022-JP?B?GyRCOzNFRBsoQg==?= <yamada@osaka.example.org>",
			subject: "=?ISO-2022-JP?B?GyRCJDMkcyRLJEEkTxsoQg==?=", id: "<200308211140.h7LBe2@osaka.example.org>",
			rest: mimed("Content-Type: text/plain; charset=ISO-2022-JP\nContent-Transfer-Encoding: 7bit\n\n" +
				"\x1b$B$3$s$K$A$O!#\x1b(B\n")},
		{at: at(2009, 3, 30, 13, 0, 200), zone: 400, via: "relay.moskva.example.net",
			from:    words('B', "Лев") + " <lev@moskva.example.net>",
			subject: words('B', "Лодка и сарай: очень длинная тема, которая не помещается в одно слово"),
			id:      "<49D0A3F1.6020304@moskva.example.net>",
			rest:    mimed(text("plain", "utf-8", "base64", "Лодка готова.\nКраска синяя.\n"))},
		{at: at(2016, 2, 29, 10, 10, 100), zone: 200, via: "out.athens.example.com",
			from:    words('B', "Ελένη") + " <eleni@athens.example.com>",
			subject: words('B', "Καλημέρα ☀️"), id: "<56d40d7a@athens.example.com>",
			rest: mimed(text("plain", "utf-8", "8bit", "Καλημέρα από την Αθήνα! ☀️🚤\n"))},
		{at: at(2024, 12, 24, 16, 0, 100), zone: 200, via: "haifa.example.net",
			from:    words('B', "דנה") + " <dana@haifa.example.net>",
			subject: words('B', "שלום"), id: "<676ac8d0.shalom@haifa.example.net>",
			rest: mimed(text("plain", "utf-8", "quoted-printable", "שלום אליס,\nמה שלומך?\n"))},
	}
}
