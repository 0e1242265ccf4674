package session

import (
	"strings"
	"testing"
	"time"

	"github.com/tarnlake/tarn/internal/sqlerr"
)

func newTestSettings() *Settings { return NewSettings(NewSettingsTable("test"), nil) }

func TestSettingsAreReadAsPostgresReadsThem(t *testing.T) {
	for _, c := range []struct{ name, value, want string }{
		{"statement_timeout", "5000", "5s"}, {"statement_timeout", "1min", "1min"}, {"STATEMENT_TIMEOUT", "90 s", "90s"}, {"statement_timeout", "0", "0"},
		{"statement_timeout", "1500us", "2ms"}, {"statement_timeout", "1d", "1d"}, {"default_transaction_read_only", "TRUE", "on"}, {"default_transaction_read_only", "of", "off"},
		{"extra_float_digits", "3", "3"}, {"IntervalStyle", "ISO_8601", "iso_8601"}, {"DateStyle", "ISO", "ISO, MDY"}, {"datestyle", "YMD", "ISO, YMD"},
		{"client_encoding", "'utf-8'", "UTF8"}, {"client_encoding", "unicode", "UTF8"}, {"search_path", `a, "B c", "$user"`, `a, "B c", "$user"`},
		{"search_path", `A,b`, `a, b`}, {"time zone", "europe/berlin", "Europe/Berlin"}, {"timezone", "-7", "<-07>+07"}, {"timezone", "5.5", "<+05:30>-05:30"},
		{"timezone", "GMT-02:00", "GMT-02:00"}, {"timezone", "utc", "UTC"}, {"transaction_isolation", "serializable", "repeatable read"}, {"work_mem", "64MB", "64MB"},
		{"disabled_passes", "Order_Joins, dynamic_filters", "order_joins, dynamic_filters"}, {"disabled_passes", "", ""},
		{"myapp.user", "Me", "Me"}, {"client_min_messages", "WARNING", "warning"}, {"standard_conforming_strings", "on", "on"},
	} {
		s := newTestSettings()
		if err := s.Set(c.name, c.value, false); err != nil {
			t.Errorf("%s = %q: %v", c.name, c.value, err)
		} else if _, got, err := s.Show(c.name); err != nil || got != c.want {
			t.Errorf("%s = %q shows %q, want %q (%v)", c.name, c.value, got, c.want, err)
		}
	}
	for _, c := range []struct {
		name, value string
		code        sqlerr.Code
		want        string
	}{
		{"statement_timout", "1", sqlerr.UndefinedObject, `unrecognized configuration parameter "statement_timout"`},
		{"statement_timeout", "fast", sqlerr.InvalidParameterValue, `invalid value for parameter "statement_timeout": "fast"`},
		{"statement_timeout", "1 parsec", sqlerr.InvalidParameterValue, `invalid value for parameter "statement_timeout": "1 parsec"`},
		{"statement_timeout", "-1", sqlerr.InvalidParameterValue, `-1 ms is outside the valid range for parameter "statement_timeout" (0 ms .. 2147483647 ms)`},
		{"extra_float_digits", "9", sqlerr.InvalidParameterValue, `9 is outside the valid range for parameter "extra_float_digits" (-15 .. 3)`},
		{"enable_hashjoin", "maybe", sqlerr.InvalidParameterValue, `parameter "enable_hashjoin" requires a Boolean value`},
		{"server_version", "9", sqlerr.CantChangeRuntimeParam, `parameter "server_version" cannot be changed`},
		{"DateStyle", "German", sqlerr.FeatureNotSupported, `DateStyle "German" is not supported`}, {"DateStyle", "x", sqlerr.InvalidParameterValue, `invalid value for parameter "DateStyle": "x"`},
		{"TimeZone", "Mars/Base", sqlerr.InvalidParameterValue, `invalid value for parameter "TimeZone": "Mars/Base"`},
		{"client_encoding", "LATIN1", sqlerr.InvalidParameterValue, `invalid value for parameter "client_encoding": "LATIN1"`},
		{"standard_conforming_strings", "off", sqlerr.FeatureNotSupported, `parameter "standard_conforming_strings" can only be "on"`},
		{"IntervalStyle", "weird", sqlerr.InvalidParameterValue, `invalid value for parameter "IntervalStyle": "weird"`},
		{"disabled_passes", "order_joints", sqlerr.InvalidParameterValue, `unknown optimizer pass "order_joints"`},
		{"disabled_passes", "decorrelate", sqlerr.InvalidParameterValue, `optimizer pass "decorrelate" cannot be switched off`},
		{"search_path", `"open`, sqlerr.InvalidParameterValue, `invalid list syntax: unterminated quoted identifier in "\"open"`},
	} {
		err := newTestSettings().Set(c.name, c.value, false)
		if sqlerr.CodeOf(err) != c.code || err.Error() != c.want {
			t.Errorf("%s = %q: %v, want %s %s", c.name, c.value, err, c.code, c.want)
		}
	}
	_, _, err := newTestSettings().Show("statment_timeout")
	if hint := sqlerr.From(err).Hint; hint != `Perhaps you meant "statement_timeout".` {
		t.Error(hint)
	}
}

func TestSettingsFollowTheTransaction(t *testing.T) {
	s := newTestSettings()
	set := func(value string, local bool) {
		t.Helper()
		if err := s.Set("application_name", value, local); err != nil {
			t.Fatal(err)
		}
	}
	show := func(want string) {
		t.Helper()
		if got := s.Get("application_name"); got != want {
			t.Fatalf("%q, want %q", got, want)
		}
	}
	set("a", false)
	s.commit()
	set("b", true)
	show("b")
	mark := s.mark()
	set("c", false)
	show("c")
	s.rollbackTo(mark)
	show("b")
	s.commit()
	show("a")
	set("d", false)
	set("e", true)
	s.rollbackTo(0)
	show("a")
	if err := s.Reset("application_name", false); err != nil {
		t.Fatal(err)
	}
	show("")
	s.rollbackTo(0)
	show("a")
	s.ResetAll()
	show("")
}

func TestDefaultsOfTheSession(t *testing.T) {
	s := NewSettings(NewSettingsTable("test"), map[string]string{"statement_timeout": "1min"})
	if err := s.setDefault("application_name", "started"); err != nil {
		t.Fatal(err)
	}
	if err := s.Set("application_name", "x", false); err != nil {
		t.Fatal(err)
	}
	s.ResetAll()
	if s.Get("application_name") != "started" || s.Duration("statement_timeout") != time.Minute {
		t.Error(s.Get("application_name"), s.Get("statement_timeout"))
	}
}

func TestOnlyChangesAreReported(t *testing.T) {
	s := newTestSettings()
	if all := s.Reported(); len(all) != 13 {
		t.Errorf("%d settings are reported", len(all))
	}
	for _, value := range []string{"x", "y"} {
		if err := s.Set("application_name", value, false); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Set("statement_timeout", "1s", false); err != nil {
		t.Fatal(err)
	}
	if got := s.TakeChanged(); len(got) != 1 || got[0] != (ReportedSetting{"application_name", "y"}) {
		t.Errorf("%v", got)
	}
	if got := s.TakeChanged(); got != nil {
		t.Errorf("%v", got)
	}
}

func TestEverySettingIsSound(t *testing.T) {
	table := NewSettingsTable("test")
	names := map[string]bool{}
	for _, d := range table.All() {
		if names[d.Name] || len(d.Doc) < 10 || !strings.HasSuffix(d.Doc, ".") {
			t.Errorf("%+v", d)
		}
		names[d.Name] = true
		if d.Fixed || d.Default == "" {
			continue
		}
		if got, err := d.parse(d.Default, d.Default); err != nil || got != d.Default {
			t.Errorf("%s: the default %q reads as %q %v", d.Name, d.Default, got, err)
		}
	}
}

func TestZonesOfSetTimeZone(t *testing.T) {
	at := time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC)
	for name, east := range map[string]int{"-7": -7 * 3600, "+2": 2 * 3600, "5.5": 19800, "GMT-02:00": 7200, "<+03>-03": 10800, "Asia/Tokyo": 32400, "asia/tokyo": 32400,
		"America/Port-au-Prince": -14400, "UTC": 0, "EST": -18000, "UTC+5": -18000} {
		zone, err := LoadZone(name)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if _, offset := at.In(zone).Zone(); offset != east {
			t.Errorf("%s is %d s east, want %d", name, offset, east)
		}
		again, err := LoadZone(zone.String())
		if err != nil {
			t.Errorf("%s shows as %s, which is unknown", name, zone)
			continue
		}
		if _, offset := at.In(again).Zone(); offset != east {
			t.Errorf("%s shows as %s, which is %d s east", name, zone, offset)
		}
	}
	for _, name := range []string{"../etc/passwd", "/etc/localtime", "Nowhere", "200", "NaN"} {
		if zone, err := LoadZone(name); err == nil {
			t.Errorf("%s is %s", name, zone)
		}
	}
}
