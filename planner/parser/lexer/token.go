package lexer

// Kind is the kind of a token.
type Kind uint8

// The kinds of tokens.
const (
	EOF     Kind = iota
	Ident        // a bare word, keyword or not; Text is folded to lower case
	Quoted       // "name", U&"name", `name`
	String       // '…', E'…', U&'…', $$…$$, N'…'
	Bits         // B'…'; Text is the digits
	HexBits      // X'…'; Text is the digits
	Integer      // digits, 0x…, 1_000; Text as written
	Decimal      // with point or exponent
	Param        // $1; Text is the digits
	Op           // an operator of any length, :: := => .. included
	Punct        // ( ) [ ] , ; . : and any other single character
)

// Token is one token of a text.
type Token struct {
	Kind       Kind
	Backquoted bool // Quoted, written in backquotes
	Start, End int  // bytes in the text: text[Start:End]
	Text       string
}

// Is tells whether the token is the given punctuation or operator.
func (t Token) Is(symbol string) bool {
	return (t.Kind == Punct || t.Kind == Op) && t.Text == symbol
}

// Word tells whether the token is the bare word, given in lower case.
func (t Token) Word(word string) bool { return t.Kind == Ident && t.Text == word }

// WordIn tells whether the token is one of the bare words, given in lower case.
func (t Token) WordIn(words ...string) bool {
	if t.Kind != Ident {
		return false
	}
	for _, word := range words {
		if t.Text == word {
			return true
		}
	}
	return false
}

// Name tells whether the token can be a name as far as its form goes.
func (t Token) Name() bool { return t.Kind == Ident || t.Kind == Quoted }
