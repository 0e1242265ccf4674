package csv

import (
	"context"
	"encoding/binary"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
)

func inUTF16(text string, order binary.ByteOrder, mark bool) string {
	units := utf16.Encode([]rune(text))
	if mark {
		units = append([]uint16{0xfeff}, units...)
	}
	var b []byte
	for _, u := range units {
		b = append(b, 0, 0)
		order.PutUint16(b[len(b)-2:], u)
	}
	return string(b)
}

func TestUTF16(t *testing.T) {
	// Longer than a block, so that characters are cut between reads.
	var text strings.Builder
	var want [][]string
	for i := range 60_000 {
		fmt.Fprintf(&text, "%d,gr\u00f6\u00dfe \u20ac \U0001F600\n", i)
		want = append(want, []string{fmt.Sprint(i), "gr\u00f6\u00dfe \u20ac \U0001F600"})
	}
	for _, big := range []bool{false, true} {
		for _, mark := range []bool{false, true} {
			order, encoding := binary.ByteOrder(binary.LittleEndian), "utf-16"
			if big {
				order = binary.BigEndian
				if !mark {
					encoding = "UTF-16BE"
				}
			}
			store, object := place(t, "f.csv", inUTF16(text.String(), order, mark))
			format, _, err := ParseFormat(DefaultFormat(), map[string]string{"encoding": encoding})
			if err != nil {
				t.Fatal(err)
			}
			if mark { // it says all
				format.Encoding = UTF8
			}
			sniffed, err := Sniff(context.Background(), store, object, format, Known{Encoding: !mark})
			if err != nil || len(sniffed.Schema) != 2 || sniffed.Schema[0].Type.Kind != types.Int64 {
				t.Fatal(sniffed, err)
			}
			columns := kinds(t, "int text")
			reader, err := NewReader(store, object, sniffed.Format, ReadOptions{Columns: columns, Fields: 2})
			if err != nil {
				t.Fatal(err)
			}
			if rows, err := drain(reader, columns); err != nil || !reflect.DeepEqual(rows, want) {
				t.Fatal(big, mark, len(rows), err)
			}
		}
	}
}

func TestBadEncodings(t *testing.T) {
	for _, c := range []struct{ content, encoding, message string }{
		{"1,a\n2,gr\xf6\xdfe\n", "utf-8", "invalid byte sequence for encoding \"UTF8\": 0xf6 0xdf 0x65"},
		{"1,\xe2\x82\n", "utf-8", "invalid byte sequence for encoding \"UTF8\": 0xe2 0x82"},
		{"1\x00,\x00\x00\xd8\n\x00", "utf-16", "invalid byte sequence for encoding \"UTF16\" at byte 4 of CSV file \"f.csv\""},
		{"1\x00,\x00\x00\xdc\n\x00", "utf-16", "invalid byte sequence for encoding \"UTF16\" at byte 4 of CSV file \"f.csv\""},
		{"1\x00,\x00a\x00\n", "utf-16", "invalid byte sequence for encoding \"UTF16\" at byte 6 of CSV file \"f.csv\""},
	} {
		_, err := readAll(t, c.content, "int text", func(f *Format) { f.Encoding, _ = parseEncoding(c.encoding) })
		if err == nil || sqlerr.From(err).Message != c.message || sqlerr.CodeOf(err) != sqlerr.CharacterNotInRepertoire {
			t.Errorf("%q: %v", c.content, err)
		}
	}
	_, err := readAll(t, "1,a\n2,gr\xf6\xdfe\n", "int text", nil)
	if e := sqlerr.From(err); !strings.Contains(e.Where, `"f.csv", line 2, column c1`) || !strings.Contains(e.Hint, "encoding => 'latin-1'") {
		t.Errorf("%+v", e)
	}
	if _, _, err := ParseFormat(DefaultFormat(), map[string]string{"encoding": "klingon"}); err == nil {
		t.Error("an unknown encoding is taken")
	}
}
