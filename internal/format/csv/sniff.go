package csv

import (
	"context"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/tarnlake/tarn/internal/format/scan"
	"github.com/tarnlake/tarn/internal/format/stream"
	"github.com/tarnlake/tarn/internal/objstore"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
)

// Sniffed is what the beginning of a file looks like.
type Sniffed struct {
	Format Format
	Schema types.Schema
}

// Known says which parts of a Format are given and not to be guessed.
type Known struct{ Delimiter, Header, Encoding bool }

// sampleRecords bounds what Sniff looks at.
const sampleRecords = 20_000

// Sniff guesses delimiter, header, names and types from the start of a file: the first block of it.
// format gives what is known and the defaults for the rest. An empty file has no columns.
func Sniff(ctx context.Context, store objstore.Store, object objstore.Object, format Format, known Known) (Sniffed, error) {
	sample := make([]byte, stream.BlockSize+padding)
	n, err := readStart(ctx, store, object, format, sample[:stream.BlockSize])
	if err == nil && !known.Encoding && format.Encoding == UTF8 && marksUTF16(sample[:n]) {
		format.Encoding = UTF16
		n, err = readStart(ctx, store, object, format, sample[:stream.BlockSize])
	}
	if err != nil {
		return Sniffed{}, err
	}
	sample = sample[:n+padding]
	s := sniffer{name: objstore.Shown(store, object.Path), sample: sample, end: n, whole: stream.BlockSize-n >= leastRead}
	if !strings.ContainsRune(string(sample[:n]), '\n') && strings.ContainsRune(string(sample[:n]), '\r') {
		format.Newline = '\r'
	}
	if !known.Delimiter {
		format.Delimiter = s.delimiter(format)
	}
	records, err := s.records(format)
	if err != nil {
		return Sniffed{}, err
	}
	if len(records) == 0 {
		return Sniffed{Format: format}, nil
	}
	return s.judge(format, known, records), nil
}

// ErrEmpty is the error where an empty file's columns are asked for.
func ErrEmpty(path string) error {
	return sqlerr.New(sqlerr.InvalidParameterValue, "CSV file %q is empty: its columns cannot be told", path)
}

// leastRead is how much of a sample may stay free before the file's end: room for some characters.
const leastRead = 16

// readStart reads the beginning of a file.
func readStart(ctx context.Context, store objstore.Store, object objstore.Object, format Format, sample []byte) (n int, err error) {
	in := inUTF8(stream.OpenStart(store, object, format.Compression, scan.Counters{}), objstore.Shown(store, object.Path), format.Encoding)
	defer in.Close()
	for len(sample)-n >= leastRead {
		more, err := in.Read(ctx, sample[n:])
		if n += more; more == 0 || err != nil {
			return n, err
		}
	}
	return n, nil
}

// marksUTF16 tells whether a file begins with a byte order mark of UTF-16.
func marksUTF16(b []byte) bool {
	return len(b) >= 2 && (b[0] == 0xff && b[1] == 0xfe || b[0] == 0xfe && b[1] == 0xff)
}

type sniffer struct {
	name   string
	sample []byte
	end    int
	whole  bool
}

// field of a sampled record; null is an unquoted NULL text.
type sampled struct {
	text   string
	null   bool
	quoted bool
}

// delimiter chooses the candidate that splits the most records into the same number of fields.
func (s *sniffer) delimiter(format Format) byte {
	best, bestScore := format.Delimiter, 0
	for _, candidate := range []byte{',', '\t', '|', ';', 1} {
		f := format
		f.Delimiter = candidate
		if f.Quote == candidate {
			continue
		}
		records, err := s.records(f)
		if err != nil || len(records) == 0 {
			continue
		}
		width, same := len(records[0]), 0
		for _, r := range records {
			if len(r) == width {
				same++
			}
		}
		if score := same * 1000 / len(records) * min(width, 50); width > 1 && score > bestScore {
			best, bestScore = candidate, score
		}
	}
	return best
}

// records reads the sample's complete records, of any widths.
func (s *sniffer) records(format Format) (out [][]sampled, err error) {
	t := tokenizer{format: format, delimiter: repeatByte(format.Delimiter), newline: repeatByte(format.Newline),
		fields: 2, data: s.sample, end: s.end, final: s.whole, line: 1, lines: make([]int64, 1)}
	if strings.HasPrefix(string(s.sample[:s.end]), string(byteOrderMark)) {
		t.at = 3
	}
	for range format.Skip {
		for t.at < t.end && t.data[t.at] != format.Newline {
			t.at++
		}
		t.at = min(t.at+1, t.end)
	}
	const most = 4096 // fields
	t.spans = make([]span, most)
	for i := range t.spans {
		t.spans[i].at = missing
		t.slots = append(t.slots, int32(i))
	}
	t.index()
	for t.at < t.end && len(out) < sampleRecords {
		for i := range t.spans {
			if t.spans[i].at == missing {
				break
			}
			t.spans[i] = span{missing, 0}
		}
		switch result, problem := t.record(); result {
		case recordCut:
			return out, nil
		case recordBad:
			if problem.error.Message == "unterminated CSV quoted field" {
				return out, problem.error.In("CSV file %q, line %d", s.name, problem.line)
			}
			out = append(out, s.fields(&t))
		case recordTaken:
			out = append(out, s.fields(&t))
		}
	}
	return out, nil
}

func (s *sniffer) fields(t *tokenizer) (out []sampled) {
	for i := range t.spans {
		x := t.spans[i]
		if x.at == missing {
			break
		}
		text := t.data[x.at : x.at+x.flags&lengthMask]
		if x.flags&escapedFlag != 0 {
			text = t.unescape(nil, text)
		}
		f := sampled{text: string(text), quoted: x.flags&quotedFlag != 0}
		for _, null := range t.format.Null {
			f.null = f.null || !f.quoted && f.text == null
		}
		out = append(out, f)
	}
	return out
}

// candidates are the types tried for a column, narrowest first.
func candidates() []types.Type {
	return []types.Type{types.Of(types.Bool), types.Of(types.Int64), types.Of(types.Float64), types.Of(types.Date),
		types.Of(types.Time), types.Of(types.Timestamp), types.Of(types.TimestampTZ), types.Of(types.Text)}
}

// judge decides header, names and types.
func (s *sniffer) judge(format Format, known Known, records [][]sampled) Sniffed {
	width := 0
	for _, r := range records {
		width = max(width, len(r))
	}
	if !format.NullPadding {
		width = len(records[0])
	}
	body := make([]types.Type, width)
	full := make([]types.Type, width)
	for c := range width {
		body[c] = columnType(records[1:], c)
		full[c] = columnType(records, c)
	}
	if !known.Header {
		format.Header = looksLikeHeader(records, body, full)
	}
	found := full
	if format.Header {
		found = body
	}
	for _, r := range records {
		for _, f := range r {
			format.Multiline = format.Multiline || f.quoted && strings.ContainsAny(f.text, "\r\n")
		}
	}
	out := Sniffed{Format: format}
	used := map[string]bool{}
	for c, t := range found {
		name := fmt.Sprintf("column%d", c)
		if format.Header && c < len(records[0]) && strings.TrimSpace(records[0][c].text) != "" {
			name = strings.TrimSpace(records[0][c].text)
		}
		for base, n := name, 1; used[strings.ToLower(name)]; n++ {
			name = fmt.Sprintf("%s_%d", base, n)
		}
		used[strings.ToLower(name)] = true
		out.Schema = append(out.Schema, types.Field{Name: name, Type: t, Nullable: true})
	}
	return out
}

// columnType is the narrowest candidate that takes all of a column's values.
func columnType(records [][]sampled, column int) types.Type {
	list := candidates()
	some := false
	for _, r := range records {
		if column >= len(r) || r[column].null {
			continue
		}
		some = true
		for len(list) > 1 && !fits(list[0], r[column].text) {
			list = list[1:]
		}
	}
	if !some {
		return types.Of(types.Text)
	}
	return list[0]
}

// fits tells whether text is a value of t in the form that files use; PostgreSQL reads more.
func fits(t types.Type, text string) bool {
	switch t.Kind {
	case types.Text:
		return true
	case types.Bool:
		switch strings.ToLower(text) {
		case "true", "false", "t", "f":
			return true
		}
		return false
	case types.Int64, types.Float64:
		if text == "" || strings.TrimSpace(text) != text {
			return false
		}
	case types.Date:
		if len(text) != 10 || text[4] != '-' || text[7] != '-' {
			return false
		}
	case types.Time:
		if len(text) < 8 || text[2] != ':' || text[5] != ':' {
			return false
		}
	case types.Timestamp, types.TimestampTZ:
		if len(text) < 16 || text[4] != '-' || text[10] != ' ' && text[10] != 'T' {
			return false
		}
		if zoned := strings.ContainsAny(text[11:], "+-Z"); zoned != (t.Kind == types.TimestampTZ) {
			return false
		}
	}
	_, err := types.Parse(t, text, time.UTC)
	return err == nil
}

// looksLikeHeader tells whether the first record is names rather than values.
func looksLikeHeader(records [][]sampled, body, full []types.Type) bool {
	first := records[0]
	if len(records) == 1 {
		return false
	}
	seen := map[string]bool{}
	for c, f := range first {
		if f.null || f.text == "" || seen[f.text] || !plausibleName(f.text) {
			return false
		}
		seen[f.text] = true
		if c < len(body) && body[c].Kind != types.Text && full[c].Kind == types.Text {
			return true // a text above typed values
		}
	}
	for c, f := range first { // all text: a value that comes again is no name
		for _, r := range records[1:] {
			if c < len(r) && r[c].text == f.text {
				return false
			}
		}
		if full[c].Kind != types.Text {
			return false
		}
	}
	return true
}

func plausibleName(text string) bool {
	if len(text) > 128 || !utf8.ValidString(text) {
		return false
	}
	for i, c := range text {
		if i == 0 && !unicode.IsLetter(c) && c != '_' {
			return false
		}
		if unicode.IsControl(c) {
			return false
		}
	}
	return true
}
