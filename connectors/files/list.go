package files

import (
	"context"
	"path"
	"slices"
	"strings"

	"github.com/tarnlake/tarn/internal/objstore"
	"github.com/tarnlake/tarn/internal/partition"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
)

// found is a file that a pattern matched.
type found struct {
	store  objstore.Store
	object objstore.Object
	shown  string // as users name it
}

// find gives the files that patterns stand for, in the order of the patterns and then of names. A
// pattern is a path with or without wildcards; a directory stands for all files below it.
func find(ctx context.Context, stores objstore.Locator, patterns []string) ([]found, error) {
	var out []found
	seen := map[string]bool{}
	for _, pattern := range patterns {
		some, err := findOne(ctx, stores, pattern)
		if err != nil {
			return nil, err
		}
		if len(some) == 0 {
			return nil, sqlerr.New(sqlerr.UndefinedFile, "no files match %q", pattern)
		}
		for _, f := range some {
			if !seen[f.shown] {
				seen[f.shown] = true
				out = append(out, f)
			}
		}
	}
	return out, nil
}

func findOne(ctx context.Context, stores objstore.Locator, pattern string) ([]found, error) {
	store, key, err := stores.Locate(pattern)
	if err != nil {
		return nil, err
	}
	// What stands before the key in the user's terms, so that results can be named alike.
	root := rootOf(pattern, key)
	show := func(o objstore.Object) found { return found{store, o, root + o.Path} }
	if unlisted(store) && key != "" {
		object, err := store.Stat(ctx, key)
		if err != nil {
			return nil, err
		}
		return []found{show(object)}, nil
	}
	if objstore.IsPattern(key) {
		objects, err := objstore.Glob(ctx, store, strings.TrimSuffix(key, "/"))
		if err != nil {
			return nil, err
		}
		out := make([]found, 0, len(objects))
		for _, o := range objects {
			out = append(out, show(o))
		}
		return out, nil
	}
	if key != "" && !strings.HasSuffix(key, "/") {
		object, err := store.Stat(ctx, key)
		if err == nil {
			return []found{show(object)}, nil
		}
		if sqlerr.CodeOf(err) != sqlerr.UndefinedFile {
			return nil, err
		}
		missing := sqlerr.New(sqlerr.UndefinedFile, "could not open file %q: No such file or directory", pattern)
		page, err := store.ListPage(ctx, objstore.ListRequest{Prefix: key + "/", Limit: 1})
		if err != nil {
			return nil, err
		}
		if len(page.Objects)+len(page.Prefixes) == 0 {
			return nil, missing
		}
		key += "/"
	}
	var out []found
	err = objstore.Walk(ctx, store, key, func(o objstore.Object) error {
		if !hidden(o.Path[len(key):]) {
			out = append(out, show(o))
		}
		return nil
	})
	return out, err
}

// unlisted tells that a store's keys have no wildcards, such as those of URLs.
func unlisted(store objstore.Store) bool {
	u, ok := store.(interface{ Unlisted() bool })
	return ok && u.Unlisted()
}

// hidden tells whether a path below a table's directory is not data: some part of it starts with a
// dot or an underscore, such as _SUCCESS, _temporary or .crc files; partition directories may.
func hidden(relative string) bool {
	for _, segment := range strings.Split(relative, "/") {
		if strings.HasPrefix(segment, ".") || strings.HasPrefix(segment, "_") && !strings.Contains(segment, "=") {
			return true
		}
	}
	return false
}

// rootOf gives what to put before keys to get paths as users write them.
func rootOf(pattern, key string) string {
	full := pattern
	if !strings.Contains(pattern, "://") {
		if absolute, err := objstore.LocalPath(pattern); err == nil {
			full = absolute
		}
	}
	if key == "" {
		return objstore.Below(full, "")
	}
	if at := strings.LastIndex(full, key); at >= 0 {
		return full[:at]
	}
	scheme, rest, remote := strings.Cut(full, "://")
	if remote {
		return scheme + "://" + rest[:strings.IndexByte(rest+"/", '/')+1]
	}
	return "/"
}

// formatOf guesses a file's format by its name; "" if it cannot.
func formatOf(name string) string {
	if lower := strings.ToLower(name); strings.HasPrefix(lower, "http://") || strings.HasPrefix(lower, "https://") {
		name, _, _ = strings.Cut(name, "?")
	}
	base := strings.ToLower(path.Base(name))
	for _, compressed := range []string{".gz", ".zst", ".bz2"} {
		base = strings.TrimSuffix(base, compressed)
	}
	switch path.Ext(base) {
	case ".parquet", ".parq", ".pq":
		return "parquet"
	case ".orc":
		return "orc"
	case ".csv", ".tsv", ".txt":
		return "csv"
	case ".json", ".jsonl", ".ndjson":
		return "json"
	}
	return ""
}

// partitionColumn is a column whose values stand in the paths of files.
type partitionColumn struct {
	Name string
	Type types.Type
}

// partitionColumns finds the Hive partition columns of paths: those that all paths have, in the same
// order. Types are the narrowest of bigint, date and text that all values have.
func partitionColumns(paths []string) []partitionColumn {
	var names []string
	values := map[string][]string{}
	for i, p := range paths {
		pairs := partition.Pairs(p)
		if i == 0 {
			for _, pair := range pairs {
				if !slices.Contains(names, pair.Name) {
					names = append(names, pair.Name)
				}
			}
		}
		for at, name := range names {
			if at >= len(pairs) || pairs[at].Name != name {
				return nil
			}
			values[name] = append(values[name], pairs[at].Value)
		}
		if len(pairs) != len(names) {
			return nil
		}
	}
	var out []partitionColumn
	for _, name := range names {
		out = append(out, partitionColumn{name, narrowest(values[name])})
	}
	return out
}

func narrowest(values []string) types.Type {
	for _, t := range []types.Type{types.Of(types.Int64), types.Of(types.Date)} {
		some := false
		fits := !slices.ContainsFunc(values, func(v string) bool {
			d, err := partition.Value(t, v)
			some = some || err == nil && !d.Null
			// 007 is text: as a number it would be another value.
			return err != nil || t.Kind == types.Int64 && len(v) > 1 && v[0] == '0'
		})
		if fits && some {
			return t
		}
	}
	return types.Of(types.Text)
}
