package json

import (
	"context"
	"strings"
	"time"

	"github.com/tarnlake/tarn/internal/format/scan"
	"github.com/tarnlake/tarn/internal/format/stream"
	"github.com/tarnlake/tarn/internal/objstore"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
)

const (
	// sampleBytes bounds what Infer reads of all files together where no sample size is given, and
	// leastSample what it reads of each.
	sampleBytes = 4 << 20
	leastSample = 256 << 10
	// mostColumns is how many keys become columns, mostFields how many of a nested object become
	// fields: more of them are data rather than names.
	mostColumns, mostFields = 4096, 200
	// inferDepth is how deep nested values have types of their own.
	inferDepth = 16
)

// Sample is what was seen in the beginnings of files.
type Sample struct{ root shape }

// Infer looks at the beginning of a file, one of several, say, files.
func Infer(ctx context.Context, store objstore.Store, object objstore.Object, format Format, files int) (*Sample, error) {
	out := &Sample{}
	if object.Size == 0 {
		return out, nil
	}
	r := newRecords(store, object, &format, Split{}, scan.Counters{}, nil)
	most, until := format.SampleSize, int64(1<<62)
	if most == 0 {
		most, until = defaultSample, max(sampleBytes/int64(max(files, 1)), leastSample)
		r.in.Close()
		r.in = stream.OpenStart(store, object, format.Compression, scan.Counters{})
	}
	defer r.close()
	if err := r.start(ctx); err != nil {
		return nil, err
	}
	depth := format.MaxDepth
	if depth < 0 {
		depth = inferDepth
	}
	for seen := 0; seen != most; {
		begin, result := r.next(0)
		switch result {
		case recordTaken:
			out.root.object(&r.scanner, begin, depth, mostColumns)
			seen++
		case recordsEnd:
			return out, nil
		case recordCut:
			if r.offset+int64(r.end) >= until && seen > 0 {
				return out, nil
			}
			if err := r.fill(ctx); err != nil {
				return nil, err
			}
		case recordBad:
			if !format.IgnoreErrors || !r.mayPassOver() {
				return nil, r.problem(ctx, begin)
			}
			r.passOver()
		}
	}
	return out, nil
}

// Merge adds what was seen in other files.
func (s *Sample) Merge(o *Sample) { s.root.merge(&o.root, mostColumns) }

// Empty tells that there was no record.
func (s *Sample) Empty() bool { return s.root.seen == 0 }

// Schema gives the columns in the order in which their keys came.
func (s *Sample) Schema() types.Schema {
	var out types.Schema
	for _, f := range s.root.fields {
		out = append(out, types.Field{Name: f.name, Type: f.shape.columnType(), Nullable: true})
	}
	return out
}

// shape is what was seen at one place of the records.
type shape struct {
	seen   seen
	fields []*field // of objects
	byName map[string]*field
	items  *shape // of arrays
	flat   bool   // too deep or too wide for fields or items of its own
}

type field struct {
	name  string
	shape shape
}

// seen is a set of kinds of values.
type seen uint16

const (
	sawBool seen = 1 << iota
	sawInteger
	sawLong // an integer beyond bigint
	sawNumber
	sawDate
	sawTime
	sawTimestamp
	sawMoment // a timestamp with a time zone
	sawText
	sawObject
	sawArray
	sawBigger // a longer integer than decimals hold
)

// object adds the keys of the object at i.
func (p *shape) object(s *scanner, i, depth, most int) {
	p.seen |= sawObject
	at := s.blankLines(i + 1)
	for n := 0; s.at(at) != '}'; n++ {
		var name, v span
		at, name = s.str(at + 1)
		at, v = s.value(s.colon(at))
		if f := p.field(s, name, n, most); f != nil {
			f.shape.observe(s, v, depth)
		}
		if at = s.blankLines(at); s.at(at) == ',' {
			at = s.blankLines(at + 1)
		}
	}
}

// field finds the field of a key, which is likely the n-th; nil when there are too many.
func (p *shape) field(s *scanner, name span, n, most int) *field {
	text := name.text(s.data)
	if name.kind() == kindEscaped {
		text = types.UnescapeJSON(text)
	}
	if n < len(p.fields) && p.fields[n].name == string(text) {
		return p.fields[n]
	}
	return p.named(string(text), most)
}

func (p *shape) named(name string, most int) *field {
	if f, ok := p.byName[name]; ok {
		return f
	}
	if len(p.fields) >= most || strings.ContainsRune(name, 0) {
		p.flat = true
		return nil
	}
	f := &field{name: name}
	if p.byName == nil {
		p.byName = map[string]*field{}
	}
	p.byName[name] = f
	p.fields = append(p.fields, f)
	return f
}

// observe adds a value.
func (p *shape) observe(s *scanner, v span, depth int) {
	switch v.kind() {
	case kindBool:
		p.seen |= sawBool
	case kindInteger:
		p.seen |= integerSize(v.text(s.data))
	case kindNumber:
		p.seen |= sawNumber
	case kindEscaped:
		p.seen |= sawText
	case kindString:
		if p.seen&sawText == 0 {
			p.seen |= stringKind(v.text(s.data))
		}
	case kindObject:
		if p.seen |= sawObject; depth <= 0 {
			p.flat = true
		} else if !p.flat {
			p.object(s, int(v.at), depth-1, mostFields)
		}
	case kindArray:
		if p.seen |= sawArray; depth <= 0 {
			p.flat = true
		} else if !p.flat {
			p.array(s, int(v.at), depth-1)
		}
	}
}

func (p *shape) array(s *scanner, i, depth int) {
	if p.items == nil {
		p.items = &shape{}
	}
	at := s.blankLines(i + 1)
	for s.at(at) != ']' {
		var v span
		at, v = s.value(at)
		p.items.observe(s, v, depth)
		if at = s.blankLines(at); s.at(at) == ',' {
			at = s.blankLines(at + 1)
		}
	}
}

func integerSize(text []byte) seen {
	if len(text) <= 18 {
		return sawInteger
	}
	if _, err := types.ParseInt64(text); err == nil {
		return sawInteger
	}
	if _, err := types.ParseDecimal(text, types.MaxDecimalPrecision, 0); err == nil {
		return sawLong
	}
	return sawBigger
}

// stringKind tells times in the form of ISO 8601 from other strings; PostgreSQL reads more.
func stringKind(text []byte) seen {
	if len(text) < 8 || len(text) > 35 || text[0]-'0' > 9 {
		return sawText
	}
	digits := func(at, n int) bool {
		for _, c := range text[at : at+n] {
			if c-'0' > 9 {
				return false
			}
		}
		return true
	}
	t, kind := types.Of(types.Time), sawTime
	switch {
	case text[2] == ':' && text[5] == ':' && digits(0, 2) && digits(3, 2) && digits(6, 2):
		if strings.ContainsAny(string(text), "+-ZAPMapm ") {
			return sawText
		}
	case len(text) < 10 || text[4] != '-' || text[7] != '-' || !digits(0, 4) || !digits(5, 2) || !digits(8, 2):
		return sawText
	case len(text) == 10:
		t, kind = types.Of(types.Date), sawDate
	case len(text) < 16 || text[10] != ' ' && text[10] != 'T' || text[13] != ':' || !digits(11, 2) || !digits(14, 2):
		return sawText
	case strings.ContainsAny(string(text[16:]), "+-Z"):
		t, kind = types.Of(types.TimestampTZ), sawMoment
	default:
		t, kind = types.Of(types.Timestamp), sawTimestamp
	}
	if _, err := types.Parse(t, string(text), time.UTC); err != nil {
		return sawText
	}
	return kind
}

// merge adds what o saw.
func (p *shape) merge(o *shape, most int) {
	p.seen |= o.seen
	p.flat = p.flat || o.flat
	for _, f := range o.fields {
		if mine := p.named(f.name, most); mine != nil {
			mine.shape.merge(&f.shape, mostFields)
		}
	}
	if o.items != nil {
		if p.items == nil {
			p.items = &shape{}
		}
		p.items.merge(o.items, mostFields)
	}
}

// columnType is the narrowest type that takes all values seen; json if no other does.
func (p *shape) columnType() types.Type {
	of := func(k types.Kind) types.Type { return types.Of(k) }
	only := func(set seen) bool { return p.seen != 0 && p.seen&^set == 0 }
	switch {
	case p.flat || p.seen == 0:
	case only(sawBool):
		return of(types.Bool)
	case only(sawInteger):
		return of(types.Int64)
	case only(sawInteger | sawLong):
		return types.DecimalOf(types.MaxDecimalPrecision, 0)
	case only(sawInteger | sawLong | sawBigger | sawNumber):
		return of(types.Float64)
	case only(sawDate):
		return of(types.Date)
	case only(sawTime):
		return of(types.Time)
	case only(sawDate | sawTimestamp):
		return of(types.Timestamp)
	case only(sawDate | sawTimestamp | sawMoment):
		return of(types.TimestampTZ)
	case only(sawDate | sawTime | sawTimestamp | sawMoment | sawText):
		return of(types.Text)
	case only(sawArray):
		return types.ArrayOf(p.items.columnType())
	case only(sawObject) && len(p.fields) > 0:
		var fields []types.Field
		for _, f := range p.fields {
			fields = append(fields, types.Field{Name: f.name, Type: f.shape.columnType(), Nullable: true})
		}
		return types.RowOf(fields...)
	}
	return of(types.JSON)
}

// errNoColumns is for files that hold no record.
func errNoColumns(path string) error {
	return sqlerr.New(sqlerr.InvalidParameterValue, "JSON file %q is empty: its columns cannot be told", path).
		WithHint("Name them: columns => 'id bigint, name text'.")
}

// Columns is Schema, or an error when there is nothing to tell columns by; path is the first file.
func (s *Sample) Columns(path string) (types.Schema, error) {
	if s.Empty() || len(s.root.fields) == 0 {
		return nil, errNoColumns(path)
	}
	return s.Schema(), nil
}
