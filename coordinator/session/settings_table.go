package session

import (
	"math"
	"slices"
	"strings"

	"github.com/tarnlake/tarn/internal/sqlerr"
)

// SettingsTable holds the definitions of all settings. It is immutable and shared by sessions.
type SettingsTable struct {
	byName  map[string]*Setting // lower case
	ordered []*Setting          // by name, without regard to case
}

// Versions that clients parse: the PostgreSQL version whose dialect and catalog Tarn follows.
const (
	PostgresVersion    = "16.4"
	PostgresVersionNum = "160004"
)

// NewSettingsTable makes the table; version is Tarn's own, shown inside server_version.
func NewSettingsTable(version string) *SettingsTable {
	t := &SettingsTable{byName: map[string]*Setting{}}
	groups := [][]Setting{reportedSettings(version), sessionSettings(), engineSettings(), serverFacts(), idleSettings()}
	for _, group := range groups {
		for i := range group {
			d := &group[i]
			t.byName[strings.ToLower(d.Name)] = d
			t.ordered = append(t.ordered, d)
		}
	}
	slices.SortFunc(t.ordered, func(a, b *Setting) int {
		return strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name))
	})
	return t
}

// Lookup finds a definition by name without regard to case; the error is 42704 with the nearest
// name. A name with a dot that is unknown is a client's own variable and gets a text definition.
func (t *SettingsTable) Lookup(name string) (*Setting, error) {
	lower := strings.ToLower(name)
	switch lower { // SQL's own spellings
	case "time zone":
		lower = "timezone"
	case "transaction isolation level":
		lower = "transaction_isolation"
	case "session authorization":
		lower = "session_authorization"
	case "names":
		lower = "client_encoding"
	}
	if d := t.byName[lower]; d != nil {
		return d, nil
	}
	if prefix, rest, found := strings.Cut(lower, "."); found && prefix != "" && rest != "" {
		return &Setting{Name: name, Kind: KindText, Doc: "A variable of the client's own."}, nil
	}
	err := sqlerr.New(sqlerr.UndefinedObject, "unrecognized configuration parameter %q", name)
	if near := t.nearest(lower); near != "" {
		err = err.WithHint("Perhaps you meant %q.", near)
	}
	return nil, err
}

func (t *SettingsTable) nearest(lower string) string {
	names := make([]string, len(t.ordered))
	for i, d := range t.ordered {
		names[i] = strings.ToLower(d.Name)
	}
	if near := sqlerr.Nearest(lower, names); near != "" {
		return t.byName[near].Name
	}
	return ""
}

// All lists the definitions by name.
func (t *SettingsTable) All() []*Setting { return t.ordered }

func reportedSettings(version string) []Setting {
	return []Setting{
		{Name: "application_name", Reported: true, canonical: shortName, Doc: "Name of the client program, for system.queries and resource groups."},
		{Name: "client_encoding", Reported: true, Default: "UTF8", canonical: canonicalEncoding, Doc: "Character set of the client; only UTF8."},
		{Name: "DateStyle", Reported: true, Default: "ISO, MDY", canonical: canonicalDateStyle, Doc: "Dates are shown in ISO form; the month comes before the day in dates that are read."},
		{Name: "default_transaction_read_only", Reported: true, Kind: KindBool, Default: "off", Doc: "New transactions refuse writes."},
		{Name: "in_hot_standby", Reported: true, Fixed: true, Kind: KindBool, Default: "off", Doc: "Whether the server is a standby: never."},
		{Name: "integer_datetimes", Reported: true, Fixed: true, Kind: KindBool, Default: "on", Doc: "Dates and times are integers on the wire."},
		{Name: "IntervalStyle", Reported: true, Kind: KindEnum, Default: "postgres", Choices: []string{"postgres", "iso_8601"}, Doc: "Form in which intervals are sent: 1 day 02:00:00, or P1DT2H."},
		{Name: "is_superuser", Reported: true, Fixed: true, Kind: KindBool, Default: "on", Doc: "Whether the session's user may do everything."},
		{Name: "server_encoding", Reported: true, Fixed: true, Default: "UTF8", Doc: "Character set of stored text."},
		{Name: "server_version", Reported: true, Fixed: true, Default: PostgresVersion + " (Tarn " + version + ")", Doc: "PostgreSQL version whose dialect is spoken, and Tarn's own."},
		{Name: "session_authorization", Reported: true, Doc: "The session's user."},
		{Name: "standard_conforming_strings", Reported: true, Kind: KindBool, Default: "on", canonical: onlyValue("standard_conforming_strings", "on"), Doc: "Backslashes in '…' are ordinary characters: always."},
		{Name: "TimeZone", Reported: true, Default: "UTC", canonical: canonicalTimeZone, Doc: "Zone in which timestamps with time zone are read and shown."},
	}
}

func sessionSettings() []Setting {
	const day = 24 * 3_600_000
	isolation := []string{"repeatable read", "serializable", "read committed", "read uncommitted"}
	return []Setting{
		{Name: "search_path", Kind: KindNames, Default: `"$user", public`, canonical: canonicalNames, Doc: "Schemas in which unqualified names are looked up, in this order."},
		{Name: "role", Default: "none", Doc: "Role whose rights the session uses."},
		{Name: "statement_timeout", Kind: KindDuration, Default: "0", Max: math.MaxInt32, Doc: "A statement that takes longer is cancelled; 0 is never."},
		{Name: "lock_timeout", Kind: KindDuration, Default: "0", Max: math.MaxInt32, Doc: "A wait for a catalog lock that takes longer fails; 0 is never."},
		{Name: "idle_session_timeout", Kind: KindDuration, Default: "0", Max: math.MaxInt32, Doc: "A session idle outside a transaction for longer is closed; 0 is never."},
		{Name: "idle_in_transaction_session_timeout", Kind: KindDuration, Default: "0", Max: math.MaxInt32, Doc: "A session idle inside a transaction for longer is closed; 0 is never."},
		{Name: "portal_idle_timeout", Kind: KindDuration, Default: "5s", Max: day, Doc: "A portal suspended for longer is drained to memory and disk, so that it holds no CPU; 0 is never."},
		{Name: "client_min_messages", Kind: KindEnum, Default: "notice", Choices: []string{"notice", "debug5", "debug4", "debug3", "debug2", "debug1", "debug", "log", "warning", "error"}, Doc: "The least grave notices that are sent to the client."},
		{Name: "default_transaction_isolation", Kind: KindEnum, Default: "repeatable read", Choices: isolation, canonical: alwaysSnapshot, Doc: "Isolation of new transactions: each reads one snapshot, whatever level is asked for."},
		{Name: "transaction_isolation", Kind: KindEnum, Default: "repeatable read", Choices: isolation, canonical: alwaysSnapshot, Doc: "Isolation of the current transaction: one snapshot."},
		{Name: "transaction_read_only", Kind: KindBool, Default: "off", Doc: "The current transaction refuses writes."},
		{Name: "default_transaction_deferrable", Kind: KindBool, Default: "off", Idle: true, Doc: "Accepted: snapshots never wait."},
		{Name: "transaction_deferrable", Kind: KindBool, Default: "off", Idle: true, Doc: "Accepted: snapshots never wait."},
		{Name: "extra_float_digits", Kind: KindInteger, Default: "1", Min: -15, Max: 3, Doc: "Above 0: shortest exact text of floating point numbers; else that many digits less than 15 (6 for real)."},
		{Name: "bytea_output", Kind: KindEnum, Default: "hex", Choices: []string{"hex"}, Doc: "Text form of bytea values."},
		{Name: "progress_notices", Kind: KindDuration, Default: "0", Max: day, Doc: "A running statement tells its progress in a notice every so often; 0 is never. For shells."},
	}
}

func engineSettings() []Setting {
	return []Setting{
		{Name: "resource_group", Doc: "Resource group of the session's queries; empty lets the server choose."},
		{Name: "distribute_from_rows", Kind: KindInteger, Default: "1000000", Max: 1e15, Doc: "In a cluster, a query that is expected to scan fewer rows than this, and less than distribute_from_bytes, runs on its coordinator alone; 0 spreads all."},
		{Name: "distribute_from_bytes", Kind: KindMemory, Default: "64MB", Max: 1 << 40, Doc: "In a cluster, a query that is expected to scan fewer bytes than this, and fewer rows than distribute_from_rows, runs on its coordinator alone."},
		{Name: "disabled_passes", Kind: KindNames, canonical: canonicalPasses, Doc: "Optimizer passes that are left out, for diagnosis."},
	}
}

// serverFacts are what clients ask about a server and cannot set.
func serverFacts() []Setting {
	facts := [][3]string{
		{"server_version_num", PostgresVersionNum, "server_version as a number."},
		{"max_identifier_length", "63", "Longest name that clients should make."},
		{"max_index_keys", "32", "Columns of an index, for clients that ask."},
		{"max_function_args", "100", "Arguments of a function."},
		{"block_size", "8192", "Size of a page, for clients that ask."},
		{"lc_collate", "C", "Collation of text: byte order."},
		{"lc_ctype", "C.UTF-8", "Character classes of text."},
		{"data_checksums", "on", "Files carry checksums."},
		{"segment_size", "1GB", "Size of a file segment, for clients that ask."},
		{"wal_block_size", "8192", "Size of a log page, for clients that ask."},
		{"debug_assertions", "off", "Whether the server was built with assertions."},
		{"ssl_library", "Go crypto/tls", "Implementation of TLS."},
		{"shared_preload_libraries", "", "Loaded extensions: none."},
		{"wal_level", "replica", "For clients that ask."},
	}
	out := make([]Setting, len(facts))
	for i, f := range facts {
		out[i] = Setting{Name: f[0], Default: f[1], Doc: f[2], Fixed: true}
	}
	return out
}

// idleSettings are accepted because clients set them; they change nothing here.
func idleSettings() []Setting {
	const planner = "Accepted; the optimizer decides by itself. See disabled_passes."
	const memoryDoc = "Accepted; memory is bounded by resource groups."
	const logging = "Accepted; logging is configured on the server."
	const other = "Accepted for clients that set it."
	switches := func(doc string, names ...string) []Setting {
		out := make([]Setting, len(names))
		for i, name := range names {
			out[i] = Setting{Name: name, Kind: KindBool, Default: "on", Doc: doc, Idle: true}
		}
		return out
	}
	texts := func(doc string, pairs ...[2]string) []Setting {
		out := make([]Setting, len(pairs))
		for i, p := range pairs {
			out[i] = Setting{Name: p[0], Default: p[1], Doc: doc, Idle: true}
		}
		return out
	}
	return slices.Concat(
		switches(planner, "enable_seqscan", "enable_indexscan", "enable_indexonlyscan", "enable_bitmapscan", "enable_tidscan",
			"enable_sort", "enable_incremental_sort", "enable_hashagg", "enable_hashjoin", "enable_mergejoin", "enable_nestloop",
			"enable_material", "enable_memoize", "enable_partition_pruning", "enable_partitionwise_join",
			"enable_partitionwise_aggregate", "enable_parallel_append", "enable_parallel_hash", "enable_gathermerge", "geqo", "jit"),
		switches(other, "array_nulls", "check_function_bodies", "escape_string_warning", "row_security", "synchronize_seqscans",
			"track_activities", "track_counts", "fsync", "full_page_writes", "autovacuum"),
		texts(planner, [2]string{"random_page_cost", "4"}, [2]string{"seq_page_cost", "1"}, [2]string{"cpu_tuple_cost", "0.01"},
			[2]string{"cpu_operator_cost", "0.0025"}, [2]string{"cpu_index_tuple_cost", "0.005"}, [2]string{"effective_cache_size", "4GB"},
			[2]string{"from_collapse_limit", "8"}, [2]string{"join_collapse_limit", "8"}, [2]string{"geqo_threshold", "12"},
			[2]string{"default_statistics_target", "100"}, [2]string{"constraint_exclusion", "partition"},
			[2]string{"cursor_tuple_fraction", "0.1"}, [2]string{"plan_cache_mode", "auto"}, [2]string{"max_parallel_workers", "8"},
			[2]string{"max_parallel_workers_per_gather", "2"}, [2]string{"force_parallel_mode", "off"}),
		texts(memoryDoc, [2]string{"work_mem", "4MB"}, [2]string{"maintenance_work_mem", "64MB"}, [2]string{"temp_buffers", "8MB"},
			[2]string{"hash_mem_multiplier", "2"}, [2]string{"shared_buffers", "128MB"}, [2]string{"temp_file_limit", "-1"},
			[2]string{"logical_decoding_work_mem", "64MB"}),
		texts(logging, [2]string{"log_statement", "none"}, [2]string{"log_min_messages", "warning"},
			[2]string{"log_min_error_statement", "error"}, [2]string{"log_min_duration_statement", "-1"},
			[2]string{"log_duration", "off"}, [2]string{"log_error_verbosity", "default"}, [2]string{"track_io_timing", "off"},
			[2]string{"track_functions", "none"}),
		texts(other, [2]string{"backslash_quote", "safe_encoding"}, [2]string{"quote_all_identifiers", "off"},
			[2]string{"transform_null_equals", "off"}, [2]string{"synchronous_commit", "on"}, [2]string{"commit_delay", "0"},
			[2]string{"default_tablespace", ""}, [2]string{"temp_tablespaces", ""}, [2]string{"default_table_access_method", "heap"},
			[2]string{"default_toast_compression", "pglz"}, [2]string{"default_text_search_config", "pg_catalog.simple"},
			[2]string{"xmloption", "content"}, [2]string{"xmlbinary", "base64"}, [2]string{"session_replication_role", "origin"},
			[2]string{"lc_messages", "C"}, [2]string{"lc_monetary", "C"}, [2]string{"lc_numeric", "C"}, [2]string{"lc_time", "C"},
			[2]string{"password_encryption", "scram-sha-256"}, [2]string{"gin_fuzzy_search_limit", "0"},
			[2]string{"tcp_keepalives_idle", "0"}, [2]string{"tcp_keepalives_interval", "0"}, [2]string{"tcp_keepalives_count", "0"},
			[2]string{"tcp_user_timeout", "0"}, [2]string{"client_connection_check_interval", "0"},
			[2]string{"deadlock_timeout", "1s"}, [2]string{"vacuum_cost_delay", "0"}, [2]string{"statement_mem", "125MB"},
			[2]string{"idle_replication_timeout", "0"}, [2]string{"transaction_timeout", "0"}, [2]string{"seed", "unavailable"},
			[2]string{"timezone_abbreviations", "Default"}, [2]string{"max_connections", "100"}, [2]string{"port", "5439"},
			[2]string{"listen_addresses", "localhost"}, [2]string{"ssl", "off"}, [2]string{"hba_file", ""}, [2]string{"config_file", ""},
			[2]string{"data_directory", ""}, [2]string{"superuser_reserved_connections", "0"}, [2]string{"event_source", "tarn"},
			[2]string{"allow_system_table_mods", "off"}, [2]string{"ignore_system_indexes", "off"}, [2]string{"lo_compat_privileges", "off"}),
	)
}

func onlyValue(name, only string) func(string, string) (string, error) {
	return func(value, _ string) (string, error) {
		if value != only {
			return "", sqlerr.New(sqlerr.FeatureNotSupported, "parameter %q can only be %q", name, only)
		}
		return value, nil
	}
}

// alwaysSnapshot keeps the one isolation that there is, which is at least as strong as any level
// but serializable.
func alwaysSnapshot(_, _ string) (string, error) { return "repeatable read", nil }

// shortName cuts a name to PostgreSQL's 63 bytes, between characters: clients are told of it, and none
// reads a report of any length.
func shortName(value, _ string) (string, error) {
	const most = 63
	if len(value) <= most {
		return value, nil
	}
	return strings.ToValidUTF8(value[:most], ""), nil
}

func canonicalEncoding(value, _ string) (string, error) {
	name := strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, strings.ToLower(value))
	switch name {
	case "utf8", "unicode", "default", "":
		return "UTF8", nil
	case "sqlascii":
		return "SQL_ASCII", nil
	}
	return "", sqlerr.New(sqlerr.InvalidParameterValue, "invalid value for parameter %q: %q", "client_encoding", value).
		WithDetail("Text is sent as UTF8 only.").WithHint("Set client_encoding to UTF8 (PGCLIENTENCODING=UTF8).")
}

// canonicalDateStyle merges "ISO", "YMD", "ISO, MDY" into the present style. Other ways to show dates,
// and days before months, are refused rather than ignored.
func canonicalDateStyle(value, current string) (string, error) {
	_, order, _ := strings.Cut(current, ", ")
	if order == "" {
		order = "MDY"
	}
	for _, word := range strings.FieldsFunc(value, func(r rune) bool { return r == ',' || r == ' ' }) {
		switch lower := strings.ToLower(word); {
		case lower == "iso":
		case lower == "ymd", lower == "mdy":
			order = strings.ToUpper(word)
		case lower == "us", strings.HasPrefix(lower, "noneuro"), lower == "default":
			order = "MDY"
		case lower == "sql", lower == "german", lower == "dmy", strings.HasPrefix(lower, "postgres"), strings.HasPrefix(lower, "euro"):
			return "", sqlerr.New(sqlerr.FeatureNotSupported, "DateStyle %q is not supported", word).
				WithHint("Dates are shown in ISO form; to_char and to_date write and read others.")
		default:
			return "", sqlerr.New(sqlerr.InvalidParameterValue, "invalid value for parameter %q: %q", "DateStyle", value).
				WithDetail("Unrecognized key word: %q.", word)
		}
	}
	return "ISO, " + order, nil
}

func canonicalTimeZone(value, _ string) (string, error) {
	zone, err := LoadZone(value)
	if err != nil {
		return "", err
	}
	return zone.String(), nil
}
