package parser

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	pg_query "github.com/pganalyze/pg_query_go/v6"

	"github.com/tarnlake/tarn/planner/parser/ast"
	"github.com/tarnlake/tarn/planner/parser/lexer"
)

var frames = regexp.MustCompile(`"frameOptions":\d+`)

var places = regexp.MustCompile(`,?"(location|stmt_len|stmt_location|rexpr_list_start|rexpr_list_end)":-?\d+`)

// grammarTree is the tree of PostgreSQL's grammar, without positions; "" when it refuses the text.
func grammarTree(text string) string {
	tree, err := pg_query.ParseToJSON(text)
	if err != nil {
		return ""
	}
	tree = places.ReplaceAllString(tree, "")
	// What our tree holds in one form only.
	tree = strings.NewReplacer(
		"SORTBY_ASC", "SORTBY_DEFAULT",
		"OVERRIDING_SYSTEM_VALUE", "OVERRIDING_NOT_SET",
		`"1_0.5"`, `"10.5"`,
		`"limitCount":{"A_Const":{"isnull":true}},"limitOption":"LIMIT_OPTION_COUNT"`, `"limitOption":"LIMIT_OPTION_DEFAULT"`,
		`{"String":{"sval":"pg_catalog"}},{"String":{"sval":"unnest"}}`, `{"String":{"sval":"unnest"}}`,
	).Replace(tree)
	return frames.ReplaceAllStringFunc(tree, func(option string) string {
		bits, _ := strconv.Atoi(option[len(`"frameOptions":`):])
		return fmt.Sprintf(`"frameOptions":%d`, bits&^frameBetween)
	})
}

// frameBetween says in frameOptions that BETWEEN was written.
const frameBetween = 1 << 4

// isRewritten tells whether the text holds spellings of other engines.
func isRewritten(text string) bool {
	tokens, err := lexer.Scan(text)
	if err != nil {
		return false
	}
	f, err := rewrite(text, tokens, "", "")
	return err != nil || len(f.segments) != 1
}

// TestPrintedTextMeansTheSame lets PostgreSQL's grammar compare a statement with what our tree of
// it prints: nothing may be lost or turned on the way through the converter and the printer.
func TestPrintedTextMeansTheSame(t *testing.T) {
	compared := 0
	for _, text := range postgresTexts(t) {
		before := grammarTree(text)
		list, err := Parse(text)
		if before == "" || err != nil || len(list) != 1 || isRewritten(text) {
			continue
		}
		switch list[0].(type) {
		case *ast.Select, *ast.Delete, *ast.Update, *ast.Merge:
		case *ast.Insert:
			if list[0].(*ast.Insert).OnConflict {
				continue // its parts are not kept
			}
		default:
			continue
		}
		compared++
		printed := ast.Format(list[0])
		if after := grammarTree(printed); before != after {
			t.Errorf("%s\n%s\n%s\n%s", text, printed, before, after)
		}
	}
	if compared < 400 {
		t.Errorf("only %d statements were compared", compared)
	}
}

// TestTokensAreTheGrammars compares our lexer with PostgreSQL's, token by token.
func TestTokensAreTheGrammars(t *testing.T) {
	compared := 0
	for _, text := range postgresTexts(t) {
		ours, err := lexer.Scan(text)
		theirs, theirErr := pg_query.Scan(text)
		if err != nil || theirErr != nil || strings.ContainsAny(text, "`") || strings.Contains(text, "UESCAPE") ||
			strings.Contains(text, " N'") { // the grammar makes two tokens of N'…'
			continue
		}
		compared++
		i := 0
		for _, token := range theirs.Tokens {
			if token.Token == pg_query.Token_SQL_COMMENT || token.Token == pg_query.Token_C_COMMENT {
				continue
			}
			if ours[i].Start != int(token.Start) || ours[i].End != int(token.End) {
				t.Errorf("%s: ours %q, theirs %q", text, text[ours[i].Start:ours[i].End], text[token.Start:token.End])
				break
			}
			i++
		}
		if ours[i].Kind != lexer.EOF {
			t.Errorf("%s: %d tokens more", text, len(ours)-1-i)
		}
	}
	if compared < 700 {
		t.Errorf("only %d texts were compared", compared)
	}
}

func postgresTexts(t testing.TB) []string {
	golden, err := os.ReadFile("testdata/golden.txt")
	if err != nil {
		t.Fatal(err)
	}
	texts := goldenInputs(string(golden))
	files, err := filepath.Glob("testdata/clients/*.sql")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		for _, text := range readCorpus(t, file) {
			texts = append(texts, text)
		}
	}
	queries, err := filepath.Glob("testdata/tpch/*.sql")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range queries {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, string(text))
	}
	return texts
}
