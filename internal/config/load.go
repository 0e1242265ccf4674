package config

import (
	"bytes"
	"encoding"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2"

	"github.com/tarnlake/tarn/internal/sqlerr"
)

// Sources says where to look for values.
type Sources struct {
	// File is the configuration file; "" means DefaultFile if it exists.
	File string
	// Environment holds "NAME=value" entries; those that start with TARN_ count.
	Environment []string
	// Flags are values from the command line, by key ("server.data").
	Flags map[string]string
}

// DefaultFile is read when no file is named.
const DefaultFile = "tarn.toml"

// Loaded is a configuration and where its values came from.
type Loaded struct {
	*Config
	origins map[string]string
}

// Entry is one key of a loaded configuration.
type Entry struct {
	Key, Value, Origin, Default, Doc string
}

// Load reads the configuration. Errors have SQLSTATE F0000 and name file and line, or the variable.
func Load(sources Sources) (*Loaded, error) {
	loaded := &Loaded{Config: Default(), origins: map[string]string{}}
	if err := loaded.readFile(sources.File); err != nil {
		return nil, err
	}
	if err := loaded.readEnvironment(sources.Environment); err != nil {
		return nil, err
	}
	for key, value := range sources.Flags {
		if err := loaded.set(key, value, "command line"); err != nil {
			return nil, err
		}
	}
	return loaded, loaded.check()
}

func bad(format string, args ...any) *sqlerr.Error {
	return sqlerr.New(sqlerr.ConfigFileError, format, args...)
}

func (l *Loaded) readFile(name string) error {
	named := name != ""
	if !named {
		name = DefaultFile
	}
	text, err := os.ReadFile(name)
	if !named && errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return bad("could not read the configuration: %s", err)
	}
	decoder := toml.NewDecoder(bytes.NewReader(text)).DisallowUnknownFields()
	if err := decoder.Decode(l.Config); err != nil {
		return fileError(name, err)
	}
	var written map[string]any
	if err := toml.Unmarshal(text, &written); err != nil {
		return fileError(name, err)
	}
	l.noteOrigins("", written, name)
	return nil
}

// noteOrigins remembers the keys that a file holds.
func (l *Loaded) noteOrigins(prefix string, table map[string]any, name string) {
	for key, value := range table {
		path := strings.TrimPrefix(prefix+"."+key, ".")
		if inner, ok := value.(map[string]any); ok {
			l.noteOrigins(path, inner, name)
			continue
		}
		l.origins[path] = name
	}
}

// fileError says what is wrong in which line. Several unknown keys are told together.
func fileError(name string, err error) error {
	var missing *toml.StrictMissingError
	if errors.As(err, &missing) {
		var lines []string
		for i := range missing.Errors {
			row, _ := missing.Errors[i].Position()
			lines = append(lines, fmt.Sprintf("%s:%d: %s", name, row, unknownKey(strings.Join(missing.Errors[i].Key(), "."))))
		}
		return bad("%s", strings.Join(lines, "\n"))
	}
	var decode *toml.DecodeError
	if errors.As(err, &decode) {
		row, column := decode.Position()
		return bad("%s:%d:%d: %s", name, row, column, strings.TrimPrefix(decode.Error(), "toml: "))
	}
	return bad("%s: %s", name, err)
}

func unknownKey(key string) string {
	text := fmt.Sprintf("unknown key %q", key)
	if near := nearest(key, keyNames()); near != "" {
		return text + fmt.Sprintf(", perhaps you meant %q", near)
	}
	return text
}

func keyNames() []string {
	var names []string
	walk(reflect.ValueOf(Default()).Elem(), "", func(key string, _ reflect.Value, _ string) { names = append(names, key) })
	return names
}

// readEnvironment reads TARN_SECTION_KEY. A variable that starts with a section's name and is no
// key is an error; others belong to somebody else.
func (l *Loaded) readEnvironment(environment []string) error {
	variables := map[string]string{}
	sections := map[string]bool{}
	for _, key := range keyNames() {
		variables[variableOf(key)] = key
		section, _, _ := strings.Cut(key, ".")
		sections[section] = true
	}
	for _, entry := range environment {
		name, value, _ := strings.Cut(entry, "=")
		rest, ok := strings.CutPrefix(name, "TARN_")
		if !ok {
			continue
		}
		section, _, several := strings.Cut(strings.ToLower(rest), "_")
		switch key, known := variables[name]; {
		case known:
			if err := l.set(key, value, "environment "+name); err != nil {
				return err
			}
		case several && sections[section] && section != "settings":
			near := nearest(name, slices.Collect(mapKeys(variables)))
			if near != "" {
				return bad("environment variable %s: no such key, perhaps you meant %s", name, near)
			}
			return bad("environment variable %s: no such key", name)
		case section == "settings" && several:
			l.Settings[strings.TrimPrefix(strings.ToLower(rest), "settings_")] = value
		}
	}
	return nil
}

func mapKeys(m map[string]string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

// variableOf gives the environment variable of a key: server.pg_listen is TARN_SERVER_PG_LISTEN.
func variableOf(key string) string {
	return "TARN_" + strings.ToUpper(strings.ReplaceAll(key, ".", "_"))
}

// set gives a key a value from text.
func (l *Loaded) set(key, text, origin string) error {
	var found, failed error
	found = bad("%s: %s", origin, unknownKey(key))
	walk(reflect.ValueOf(l.Config).Elem(), "", func(name string, field reflect.Value, _ string) {
		if name == key {
			found = nil
			failed = setField(field, text)
		}
	})
	if found != nil {
		return found
	}
	if failed != nil {
		return bad("%s: %s: %s", origin, key, failed)
	}
	l.origins[key] = origin
	return nil
}

func setField(field reflect.Value, text string) error {
	if reader, ok := field.Addr().Interface().(encoding.TextUnmarshaler); ok {
		return reader.UnmarshalText([]byte(text))
	}
	switch field.Kind() {
	case reflect.String:
		field.SetString(text)
	case reflect.Bool:
		v, err := strconv.ParseBool(text)
		if err != nil {
			return fmt.Errorf("%q is neither true nor false", text)
		}
		field.SetBool(v)
	case reflect.Int:
		v, err := strconv.Atoi(text)
		if err != nil {
			return fmt.Errorf("%q is not a whole number", text)
		}
		field.SetInt(int64(v))
	case reflect.Slice:
		var parts []string
		for part := range strings.SplitSeq(text, ",") {
			if part = strings.TrimSpace(part); part != "" {
				parts = append(parts, part)
			}
		}
		field.Set(reflect.ValueOf(parts))
	default:
		return errors.New("can be set in the file only")
	}
	return nil
}

// walk visits every key with its field and its documentation.
func walk(section reflect.Value, prefix string, visit func(key string, field reflect.Value, doc string)) {
	for i := range section.NumField() {
		definition := section.Type().Field(i)
		key := strings.TrimPrefix(prefix+"."+definition.Tag.Get("toml"), ".")
		if definition.Type.Kind() == reflect.Struct {
			walk(section.Field(i), key, visit)
			continue
		}
		visit(key, section.Field(i), definition.Tag.Get("doc"))
	}
}

// Entries lists every key with its value, origin, default and documentation. Secrets are left out.
func (l *Loaded) Entries() []Entry {
	var entries []Entry
	walk(reflect.ValueOf(Default()).Elem(), "", func(key string, field reflect.Value, doc string) {
		entries = append(entries, Entry{Key: key, Default: show(key, field), Doc: doc})
	})
	i := 0
	walk(reflect.ValueOf(l.Config).Elem(), "", func(key string, field reflect.Value, _ string) {
		entries[i].Value = show(key, field)
		entries[i].Origin = l.Origin(key)
		i++
	})
	return entries
}

// Origin tells where a key's value came from: "default", a file's name, "environment NAME" or
// "command line".
func (l *Loaded) Origin(key string) string {
	if origin, ok := l.origins[key]; ok {
		return origin
	}
	for name, origin := range l.origins { // a table: the origin of any of its entries
		if strings.HasPrefix(name, key+".") {
			return origin
		}
	}
	return "default"
}

func show(key string, field reflect.Value) string {
	switch v := field.Interface().(type) {
	case map[string]string:
		var parts []string
		for name, value := range v {
			if key == "auth.users" {
				value = "***"
			}
			parts = append(parts, name+" = "+value)
		}
		slices.Sort(parts)
		return strings.Join(parts, ", ")
	case map[string]Bucket:
		var parts []string
		for name, b := range v {
			parts = append(parts, name+" = "+b.String())
		}
		slices.Sort(parts)
		return strings.Join(parts, ", ")
	case map[string]ResourceGroup:
		var parts []string
		for name, g := range v {
			parts = append(parts, name+" = "+g.String())
		}
		slices.Sort(parts)
		return strings.Join(parts, ", ")
	case []string:
		if len(v) > 0 && key == "cluster.other_secrets" {
			return "***"
		}
		return strings.Join(v, ", ")
	case string:
		if v != "" && (strings.HasSuffix(key, ".secret_access_key") || strings.HasSuffix(key, ".session_token")) {
			return "***"
		}
		if v != "" && key == "cluster.secret" {
			return "***"
		}
		if key == "catalog.url" {
			return hidePassword(v)
		}
		return v
	}
	return fmt.Sprint(field.Interface())
}

// hidePassword blanks the password of a URL.
func hidePassword(url string) string {
	scheme, rest, found := strings.Cut(url, "://")
	at := strings.LastIndexByte(rest, '@')
	if !found || at < 0 {
		return url
	}
	user, _, hasPassword := strings.Cut(rest[:at], ":")
	if !hasPassword {
		return url
	}
	return scheme + "://" + user + ":***" + rest[at:]
}

// check refuses values that cannot work.
func (l *Loaded) check() error {
	switch l.Log.Level {
	case "debug", "info", "warn", "error":
	default:
		return bad("log.level (%s): %q is not debug, info, warn or error", l.Origin("log.level"), l.Log.Level)
	}
	if l.Log.Format != "text" && l.Log.Format != "json" {
		return bad("log.format (%s): %q is not text or json", l.Origin("log.format"), l.Log.Format)
	}
	if (l.TLS.Certificate == "") != (l.TLS.Key == "") {
		return bad("tls.certificate and tls.key must be set together")
	}
	if l.TLS.Required && l.TLS.Certificate == "" {
		return bad("tls.required needs tls.certificate and tls.key")
	}
	if l.Server.MaxConnections < 1 {
		return bad("server.max_connections (%s) must be at least 1", l.Origin("server.max_connections"))
	}
	if l.Memory.Limit > 0 && l.Memory.Limit < leastMemory {
		return bad("memory.limit (%s) must be at least %s", l.Origin("memory.limit"), leastMemory)
	}
	if l.Catalog.PollInterval < Duration(10*time.Millisecond) {
		return bad("catalog.poll_interval (%s) must be at least 10ms", l.Origin("catalog.poll_interval"))
	}
	if err := l.checkGroups(); err != nil {
		return err
	}
	if err := l.checkCluster(); err != nil {
		return err
	}
	if err := l.checkCache(); err != nil {
		return err
	}
	return l.checkStorage()
}

// nearest gives the candidate most like name, "" when none is: a right key in the wrong section too.
func nearest(name string, candidates []string) string {
	if near := sqlerr.Nearest(name, candidates); near != "" {
		return near
	}
	_, own, _ := strings.Cut(name, ".")
	for _, candidate := range candidates {
		if _, key, found := strings.Cut(candidate, "."); found && sqlerr.Nearest(own, []string{key}) != "" {
			return candidate
		}
	}
	return ""
}
