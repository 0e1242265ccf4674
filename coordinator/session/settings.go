package session

import (
	"strconv"
	"strings"
	"time"

	"github.com/tarnlake/tarn/internal/sqlerr"
)

// Settings are one session's run-time parameters. The session's goroutine changes them between
// statements; while a statement runs, any goroutine may read them.
type Settings struct {
	table    *SettingsTable
	defaults map[string]string // what RESET goes back to, where it differs from the table's default
	session  map[string]string // SET
	local    map[string]string // SET LOCAL
	undo     []settingUndo
	changed  []string          // reported settings that have been touched since the client was told
	told     map[string]string // what the client was told last

	zone       *time.Location
	searchPath []string
}

// settingUndo is what a change inside a transaction replaced.
type settingUndo struct {
	name                 string
	session, local       string
	hadSession, hadLocal bool
}

// NewSettings gives settings at their defaults; overrides (of the server's configuration) win over
// the table's and are taken as they are.
func NewSettings(table *SettingsTable, overrides map[string]string) *Settings {
	s := &Settings{table: table, defaults: map[string]string{}, session: map[string]string{}, local: map[string]string{}}
	for name, value := range overrides {
		s.defaults[strings.ToLower(name)] = value
	}
	s.refresh("timezone")
	s.refresh("search_path")
	return s
}

// Get gives a setting's value as SHOW prints it; "" when there is none of that name.
func (s *Settings) Get(name string) string {
	value, _ := s.lookup(strings.ToLower(name))
	return value
}

func (s *Settings) lookup(lower string) (string, bool) {
	if v, ok := s.local[lower]; ok {
		return v, true
	}
	if v, ok := s.session[lower]; ok {
		return v, true
	}
	return s.resetValue(lower)
}

func (s *Settings) resetValue(lower string) (string, bool) {
	if v, ok := s.defaults[lower]; ok {
		return v, true
	}
	if d := s.table.byName[lower]; d != nil {
		return d.Default, true
	}
	return "", false
}

// Show is Get for users: the error is 42704 for a name that does not exist.
func (s *Settings) Show(name string) (title, value string, err error) {
	d, err := s.table.Lookup(name)
	if err != nil {
		return "", "", err
	}
	value, ok := s.lookup(strings.ToLower(d.Name))
	if !ok {
		return "", "", sqlerr.New(sqlerr.UndefinedObject, "unrecognized configuration parameter %q", name)
	}
	return d.Name, value, nil
}

// Table gives the definitions.
func (s *Settings) Table() *SettingsTable { return s.table }

// Set changes a setting, for the transaction only when local.
func (s *Settings) Set(name, value string, local bool) error {
	d, err := s.settable(name)
	if err != nil {
		return err
	}
	lower := strings.ToLower(d.Name)
	canonical, err := d.parse(value, s.Get(lower))
	if err != nil {
		return err
	}
	s.put(lower, canonical, local)
	return nil
}

func (s *Settings) settable(name string) (*Setting, error) {
	d, err := s.table.Lookup(name)
	if err != nil {
		return nil, err
	}
	if d.Fixed {
		return nil, sqlerr.New(sqlerr.CantChangeRuntimeParam, "parameter %q cannot be changed", d.Name)
	}
	return d, nil
}

func (s *Settings) put(lower, canonical string, local bool) {
	before := s.Get(lower)
	s.remember(lower)
	if local {
		s.local[lower] = canonical
	} else {
		s.session[lower] = canonical
		delete(s.local, lower)
	}
	s.noteChange(lower, before)
}

// force sets what users cannot, without a check: session_authorization, transaction_read_only.
func (s *Settings) force(lower, value string) {
	before := s.Get(lower)
	s.session[lower] = value
	s.noteChange(lower, before)
}

// Reset goes back to the session's default.
func (s *Settings) Reset(name string, local bool) error {
	d, err := s.settable(name)
	if err != nil {
		return err
	}
	lower := strings.ToLower(d.Name)
	if local {
		value, _ := s.resetValue(lower)
		s.put(lower, value, true)
		return nil
	}
	before := s.Get(lower)
	s.remember(lower)
	delete(s.session, lower)
	delete(s.local, lower)
	s.noteChange(lower, before)
	return nil
}

// ResetAll is RESET ALL; who the session is stays.
func (s *Settings) ResetAll() {
	for lower := range s.session {
		if d := s.table.byName[lower]; d == nil || !d.Fixed && lower != "role" && lower != "session_authorization" &&
			!strings.HasPrefix(lower, "transaction_") {
			before := s.Get(lower)
			s.remember(lower)
			delete(s.session, lower)
			delete(s.local, lower)
			s.noteChange(lower, before)
		}
	}
}

// setDefault is a value of the start-up message: what RESET goes back to.
func (s *Settings) setDefault(name, value string) error {
	d, err := s.settable(name)
	if err != nil {
		return err
	}
	lower := strings.ToLower(d.Name)
	canonical, err := d.parse(value, s.Get(lower))
	if err != nil {
		return err
	}
	s.defaults[lower] = canonical
	s.refresh(lower)
	return nil
}

func (s *Settings) remember(lower string) {
	u := settingUndo{name: lower}
	u.session, u.hadSession = s.session[lower]
	u.local, u.hadLocal = s.local[lower]
	s.undo = append(s.undo, u)
}

// mark gives a point to roll back to.
func (s *Settings) mark() int { return len(s.undo) }

// rollbackTo undoes the changes since mark.
func (s *Settings) rollbackTo(mark int) {
	for i := len(s.undo) - 1; i >= mark; i-- {
		u := s.undo[i]
		before := s.Get(u.name)
		restore(s.session, u.name, u.session, u.hadSession)
		restore(s.local, u.name, u.local, u.hadLocal)
		s.noteChange(u.name, before)
	}
	s.undo = s.undo[:mark]
}

func restore(m map[string]string, name, value string, had bool) {
	if had {
		m[name] = value
	} else {
		delete(m, name)
	}
}

// commit ends the transaction's local values and makes the others last.
func (s *Settings) commit() {
	s.undo = s.undo[:0]
	for lower := range s.local {
		before := s.Get(lower)
		delete(s.local, lower)
		s.noteChange(lower, before)
	}
}

func (s *Settings) noteChange(lower, before string) {
	if s.Get(lower) == before {
		return
	}
	s.refresh(lower)
	if d := s.table.byName[lower]; d != nil && d.Reported {
		s.changed = append(s.changed, d.Name)
	}
}

// refresh brings the parsed form of a value up to date.
func (s *Settings) refresh(lower string) {
	switch lower {
	case "timezone":
		zone, err := LoadZone(s.Get(lower))
		if err != nil {
			zone = time.UTC
		}
		s.zone = zone
	case "search_path":
		s.searchPath, _ = splitNames(s.Get(lower))
	}
}

// ReportedSetting is a value that the client is to be told.
type ReportedSetting struct{ Name, Value string }

// Reported gives all settings that a client is told at start.
func (s *Settings) Reported() []ReportedSetting {
	var out []ReportedSetting
	s.told = map[string]string{}
	for _, d := range s.table.ordered {
		if d.Reported {
			s.told[d.Name] = s.Get(d.Name)
			out = append(out, ReportedSetting{d.Name, s.told[d.Name]})
		}
	}
	s.changed = s.changed[:0]
	return out
}

// TakeChanged gives the reported settings that have changed since the last call.
func (s *Settings) TakeChanged() []ReportedSetting {
	if len(s.changed) == 0 {
		return nil
	}
	var out []ReportedSetting
	for _, name := range s.changed {
		if value := s.Get(name); s.told[name] != value {
			s.told[name] = value
			out = append(out, ReportedSetting{name, value})
		}
	}
	s.changed = s.changed[:0]
	return out
}

// TimeZone gives the zone of timestamps with time zone.
func (s *Settings) TimeZone() *time.Location { return s.zone }

// SearchPath gives the schemas to look names up in, "$user" not yet replaced. It must not be written.
func (s *Settings) SearchPath() []string { return s.searchPath }

// Bool reads a KindBool setting.
func (s *Settings) Bool(name string) bool { return s.Get(name) == "on" }

// Int reads a KindInteger setting.
func (s *Settings) Int(name string) int {
	n, _ := strconv.Atoi(s.Get(name))
	return n
}

// Duration reads a KindDuration setting.
func (s *Settings) Duration(name string) time.Duration {
	if d := s.table.byName[strings.ToLower(name)]; d != nil {
		return time.Duration(d.baseUnits(s.Get(name))) * time.Millisecond
	}
	return 0
}

// Bytes reads a KindMemory setting.
func (s *Settings) Bytes(name string) int64 {
	if d := s.table.byName[strings.ToLower(name)]; d != nil {
		return d.baseUnits(s.Get(name)) << 10
	}
	return 0
}

// Names gives a setting of kind KindNames as a list.
func (s *Settings) Names(name string) []string {
	names, err := splitNames(s.Get(name))
	if err != nil { // canonical when it was set
		return nil
	}
	return names
}
