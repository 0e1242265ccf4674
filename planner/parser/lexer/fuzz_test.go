package lexer

import (
	"errors"
	"testing"
	"unicode/utf8"

	"github.com/tarnlake/tarn/internal/sqlerr"
)

// FuzzScan wants tokens that stand in order inside the text, with nothing but blanks and comments
// between them, and that stay the same when each is scanned alone.
func FuzzScan(f *testing.F) {
	for _, seed := range []string{
		`select "a""b", U&"d\0061t" UESCAPE '!', E'\x41\u00e9\n', $tag$ x $tag$, 'a' 'b'`, "`hive` <=> x -- c\n/* a /* b */ */ 0x1F 1_000 .5e-3 1e",
		`B'101' x'1f' N'ü' $1::int[] := => .. a@>b !~~* 5!=-3`, "'a'\n  'b' U&'\\+01F600\\D83D\\DE00'", `1..2 a.b.* ; "Ünï" ÄB`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, sql string) {
		if !utf8.ValidString(sql) {
			return
		}
		tokens, err := Scan(sql)
		if err != nil {
			var user *sqlerr.Error
			if !errors.As(err, &user) || user.Code.Class() == "XX" || user.Position < 0 || user.Position > utf8.RuneCountInString(sql)+1 {
				t.Fatalf("%v at %d", err, user.Position)
			}
			return
		}
		at := 0
		for i, token := range tokens {
			if token.Kind == EOF {
				if i != len(tokens)-1 || token.Start != len(sql) || token.End != len(sql) {
					t.Fatalf("token %d is the end, at %d:%d of %d", i, token.Start, token.End, len(sql))
				}
			} else if token.Start < at || token.End <= token.Start || token.End > len(sql) {
				t.Fatalf("token %d at %d:%d behind %d", i, token.Start, token.End, at)
			}
			between, err := Scan(sql[at:token.Start])
			if err != nil || len(between) != 1 {
				t.Fatalf("%q is passed over before token %d (%v)", sql[at:token.Start], i, err)
			}
			if !utf8.ValidString(token.Text) {
				t.Fatalf("token %d has invalid text %q", i, token.Text)
			}
			at = token.End
			if token.Kind == EOF {
				continue
			}
			alone, err := Scan(sql[token.Start:token.End])
			if err != nil || len(alone) != 2 || alone[0].Kind != token.Kind || alone[0].Text != token.Text {
				t.Fatalf("%q is %d %q; alone %v (%v)", sql[token.Start:token.End], token.Kind, token.Text, alone, err)
			}
		}
	})
}
