package ui

import (
	"strings"
	"unicode"
)

// APIDoc is the description of the API as its page shows it.
type APIDoc struct {
	About, Version string
	Groups         []APIGroup
	Types          []APIType
}

// APIGroup is a heading with its addresses.
type APIGroup struct {
	Name       string
	Operations []APIOperation
}

// APIOperation is one address with one method.
type APIOperation struct {
	ID, Method, Path, Says, More string
	Params, Body                 []APIField
	Answers                      []APIAnswer
}

// APIField is one value of an address, a body or an answer.
type APIField struct {
	Name, Place, Says string
	Kind              APIKind
	Words             []string
	Must              bool
}

// APIKind is what a value is: a word, and the name of one of the types.
type APIKind struct{ Word, Type string }

// APIAnswer is one status of an address.
type APIAnswer struct {
	Status, Says, Media string
	Kind                APIKind
}

// APIType is one of the objects that bodies and answers are made of.
type APIType struct {
	Name   string
	Fields []APIField
}

// anchor is a heading as the target of a link.
func anchor(name string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return '-'
	}, name)
}
