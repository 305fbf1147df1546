package specgo

import (
	"strings"
	"unicode"
)

// width is where the lines of comments end, in bytes, if there is a space to end them at.
const width = 120

// plain is a doc on one line of which nothing surprises whoever reads or compiles it: what isn't a letter, mark, number, sign or
// space becomes U+FFFD. Of those the Go compiler refuses some even in a comment (NUL, a byte order mark), and others
// make a line look like what it isn't (https://trojansource.codes).
func plain(doc string) string {
	doc = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case !unicode.IsPrint(r):
			return unicode.ReplacementChar
		}
		return r
	}, doc)
	return strings.Join(strings.Fields(doc), " ")
}

// comment is a text, which must not begin with a plus, as the lines of a comment. The space after // keeps a line from being a
// directive, except for "// +build", which the Go command reads before the package clause and gofmt anywhere: no line begins with a plus.
func comment(text string) string {
	var b strings.Builder
	line := "//"
	for word := range strings.FieldsSeq(plain(text)) {
		if len(line)+1+len(word) > width && line != "//" && word[0] != '+' {
			b.WriteString(line + "\n")
			line = "//"
		}
		line += " " + word
	}
	b.WriteString(line + "\n")
	return b.String()
}

// sentence is a doc that ends as one, or "".
func sentence(doc string) string {
	if doc = plain(doc); doc != "" && !strings.ContainsAny(doc[len(doc)-1:], ".!?:") {
		doc += "."
	}
	return doc
}
