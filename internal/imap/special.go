package imap

import (
	"context"
	"slices"
	"strings"

	"github.com/emersion/go-imap/v2"

	"github.com/pop2imap/pop2imap/sync"
)

// usual are the names that servers and mail programs give to folders with a special use, the most usual ones first. They
// are compared without regard to case.
var usual = map[imap.MailboxAttr][]string{
	imap.MailboxAttrSent: {"Sent", "Sent Items", "Sent Messages", "Sent Mail", "Sent-Mail", "Sent Mails", "Sent E-mail",
		"Gesendet", "Gesendete Objekte", "Gesendete Elemente", "Gesendete Nachrichten", // German
		"Envoyés", "Éléments envoyés", "Messages envoyés", "Courrier envoyé", "Objets envoyés", // French
		"Enviados", "Elementos enviados", "Mensajes enviados", "Enviadas", "Itens enviados", "Mensagens enviadas", // Spanish, Portuguese
		"Inviata", "Posta inviata", "Inviati", "Messaggi inviati", // Italian
		"Verzonden", "Verzonden items", "Verzonden berichten", // Dutch
		"Skickat", "Skickade", "Skickade objekt", "Sendt", "Sendte", "Sendte elementer", "Sendt post", "Lähetetyt", // Nordic
		"Wysłane", "Elementy wysłane", "Odeslané", "Odeslaná pošta", "Odoslané", "Elküldött", "Elküldött elemek", "Trimise",
		"Отправленные", "Надіслані", "Изпратени", "Απεσταλμένα", "Gönderilmiş Öğeler", "Gönderilmiş", "Gönderilenler",
		"送信済み", "送信済みアイテム", "送信済みメール", "已发送", "已发送邮件", "已傳送郵件", "寄件備份", "보낸편지함", "보낸 편지함"},
	imap.MailboxAttrJunk: {"Junk", "Spam", "Junk E-mail", "Junk Email", "Junk Mail", "Bulk Mail",
		"Spamverdacht", "Junk-E-Mail", "Werbung", "Unerwünscht", // German
		"Indésirables", "Courrier indésirable", "Pourriel", "Pourriels", // French
		"Correo no deseado", "No deseado", "Lixo eletrônico", "Lixo eletrónico", // Spanish, Portuguese
		"Posta indesiderata", "Indesiderata", "Ongewenst", "Ongewenste e-mail", "Ongewenste reclame", // Italian, Dutch
		"Skräppost", "Søppelpost", "Uønsket e-post", "Uønsket mail", "Roskaposti", // Nordic
		"Wiadomości-śmieci", "Niechciane", "Nevyžádaná pošta", "Nevyžiadaná pošta", "Levélszemét", "Mesaje nedorite",
		"Спам", "Нежелательная почта", "Небажана пошта", "Ανεπιθύμητα", "Gereksiz", "Önemsiz E-posta",
		"迷惑メール", "垃圾邮件", "垃圾郵件", "스팸", "스팸메일함", "정크 메일"},
}

// above are the folders in which servers keep those with a special use, or all.
var above = []string{"INBOX/", "[Gmail]/", "[Google Mail]/"}

// rank says how usual a folder's name is for a use, 0 for the most; ok is false if it is not.
func rank(folder string, use imap.MailboxAttr) (n int, ok bool) {
	for _, prefix := range above {
		folder = strings.TrimPrefix(folder, prefix)
	}
	n = slices.IndexFunc(usual[use], func(name string) bool { return strings.EqualFold(name, folder) })
	return n, n >= 0
}

// Special implements [sync.Destination].
func (s *Session) Special(ctx context.Context, use string) (string, error) {
	defer s.begin(ctx)()
	attr := imap.MailboxAttr(use)
	if names, err := s.used(attr); err != nil || len(names) > 0 {
		return first(names), err
	}
	best, folder := len(usual[attr]), ""
	cmd := s.client.List("", "*", nil)
	for l := cmd.Next(); l != nil; l = cmd.Next() { // however many there are, one is kept
		if name, ok := s.names.written(l.Mailbox); ok && holdsMail(l) {
			if n, ok := rank(name, attr); ok && n < best {
				best, folder = n, name
			}
		}
	}
	switch err := cmd.Close(); {
	case isRefusal(err):
		return "", nil
	case err != nil:
		return "", sync.Doing(s.fault(err), "ask %s for its folders", s.server.Host)
	}
	return folder, nil
}

func first(names []string) string {
	if len(names) == 0 {
		return ""
	}
	return names[0]
}

// useOf gives what a new folder is for, by its name, if the server wants to know; none for most.
func (s *Session) useOf(folder string) []imap.MailboxAttr {
	if !s.caps.has("CREATE-SPECIAL-USE") {
		return nil
	}
	for use := range usual {
		if _, ok := rank(folder, use); ok {
			return []imap.MailboxAttr{use}
		}
	}
	return nil
}
