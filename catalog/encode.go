package catalog

import (
	"encoding/json"

	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
)

// storedType is how a type stands in the database: independent of Go's names and numbers.
type storedType struct {
	Kind      string        `json:"kind"`
	Precision uint8         `json:"precision,omitempty"`
	Scale     uint8         `json:"scale,omitempty"`
	Length    int32         `json:"length,omitempty"`
	Element   *storedType   `json:"element,omitempty"`
	Key       *storedType   `json:"key,omitempty"`
	Fields    []storedField `json:"fields,omitempty"`
}

type storedField struct {
	Name string     `json:"name"`
	Type storedType `json:"type"`
}

func storeType(t types.Type) storedType {
	out := storedType{Kind: t.Kind.String(), Precision: t.Precision, Scale: t.Scale, Length: t.Length}
	if t.Elem != nil {
		element := storeType(*t.Elem)
		out.Element = &element
	}
	if t.Key != nil {
		key := storeType(*t.Key)
		out.Key = &key
	}
	for _, f := range t.Fields {
		out.Fields = append(out.Fields, storedField{f.Name, storeType(f.Type)})
	}
	return out
}

func (s storedType) load(kinds map[string]types.Kind) (types.Type, error) {
	kind, known := kinds[s.Kind]
	if !known {
		return types.Type{}, sqlerr.New(sqlerr.DataCorrupted, "catalog holds the unknown type %q", s.Kind).
			WithHint("A newer version of Tarn may have written it.")
	}
	t := types.Type{Kind: kind, Precision: s.Precision, Scale: s.Scale, Length: s.Length}
	for _, part := range []struct {
		from *storedType
		to   **types.Type
	}{{s.Element, &t.Elem}, {s.Key, &t.Key}} {
		if part.from != nil {
			inner, err := part.from.load(kinds)
			if err != nil {
				return t, err
			}
			*part.to = &inner
		}
	}
	for _, f := range s.Fields {
		inner, err := f.Type.load(kinds)
		if err != nil {
			return t, err
		}
		t.Fields = append(t.Fields, types.Field{Name: f.Name, Type: inner, Nullable: true})
	}
	return t, nil
}

// kindsByName inverts types.Kind.String.
func kindsByName() map[string]types.Kind {
	out := map[string]types.Kind{}
	for k := types.Unknown; k <= types.JSONB; k++ {
		out[k.String()] = k
	}
	return out
}

func decodeType(text string, kinds map[string]types.Kind) (types.Type, error) {
	var s storedType
	if err := fromJSON(text, &s); err != nil {
		return types.Type{}, err
	}
	return s.load(kinds)
}

// toJSON writes plain data; nil maps and slices become empty ones so that rows compare equal.
func toJSON(v any) string {
	switch x := v.(type) {
	case map[string]string:
		if x == nil {
			return "{}"
		}
	case []string:
		if x == nil {
			return "[]"
		}
	case []int32:
		if x == nil {
			return "[]"
		}
	}
	out, err := json.Marshal(v)
	if err != nil { // maps, slices and structs of strings and integers: cannot fail
		panic(sqlerr.Internal("catalog value: %v", err))
	}
	return string(out)
}

func fromJSON(text string, into any) error {
	if err := json.Unmarshal([]byte(text), into); err != nil {
		return sqlerr.New(sqlerr.DataCorrupted, "catalog holds a malformed value: %v", err)
	}
	return nil
}
