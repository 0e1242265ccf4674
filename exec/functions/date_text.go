package functions

import (
	"strings"
	"time"

	"github.com/tarnlake/tarn/internal/fn"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
)

// formatFunctions are to_char, to_date, to_timestamp, date_format and date_parse.
func formatFunctions() []fn.Overload {
	toChar := func(t types.Type, example string, stampAt func(r row, zone *time.Location) (stamp, bool)) fn.Overload {
		o := timeRow("to_char", "Writes a moment by a template: YYYY, MM, DD, HH24, MI, SS, MS, US, Month, Day, Q, TZ and more.", example, params("t", t, "template", text), text,
			fn.Scalar{New: func(call fn.Call) (fn.Kernel, error) {
				zone, err := zoneOf(&call)
				if err != nil {
					return nil, err
				}
				cache := templateCache{}
				return toText(func(dst []byte, r row) ([]byte, bool, error) {
					s, ok := stampAt(r, zone)
					if !ok || len(r.bytes(1)) == 0 {
						return dst, false, nil
					}
					tokens := cache.get(r.str(1))
					if s.interval {
						if err := checkIntervalTemplate(tokens); err != nil {
							return dst, false, err
						}
					}
					return appendStamp(dst, s, tokens), true, nil
				}).New(call)
			}})
		o.Volatility = fn.Stable
		o.MayFail = t.Kind == types.Interval
		return o
	}
	out := []fn.Overload{
		toChar(timestamp, "to_char(timestamp '2018-08-01 17:31', 'DD Mon YYYY HH12:MI AM') → 01 Aug 2018 05:31 PM", func(r row, _ *time.Location) (stamp, bool) {
			m := momentOfTimestamp(r.int64(0))
			return stampOf(m, ""), m.infinite == 0
		}),
		toChar(timestampTZ, "to_char(timestamptz '2018-08-01 17:31+00', 'HH24:MI TZ') → 17:31 UTC", func(r row, zone *time.Location) (stamp, bool) {
			m := momentOfTimestampTZ(r.int64(0), zone)
			return stampOf(m, zoneAbbreviation(r.int64(0), zone)), m.infinite == 0
		}),
		toChar(interval, "to_char(interval '15h 2m 12s', 'HH24:MI:SS') → 15:02:12", func(r row, _ *time.Location) (stamp, bool) {
			return stampOfInterval(r.span(0)), true
		}),
	}
	read := func(r row, cache *templateCache) (*readStamp, error) {
		s := &readStamp{}
		return s, s.read(strings.Clone(r.str(0)), r.str(1), cache.get(r.str(1)))
	}
	p := params("s", text, "template", text)
	out = append(out,
		failing(timeRow("to_date", "Reads a date by a template.", "to_date('01 Aug 2018', 'DD Mon YYYY') → 2018-08-01", p, date, fn.Scalar{New: func(call fn.Call) (fn.Kernel, error) {
			cache := &templateCache{}
			return toFixed(func(r row) (int32, bool, error) {
				s, err := read(r, cache)
				if err != nil {
					return 0, false, err
				}
				days, err := s.days(r.str(0))
				return int32(days), true, err
			}).New(call)
		}})),
		stable(failing(timeRow("to_timestamp", "Reads a moment by a template, in the session's time zone.", "to_timestamp('01 Aug 2018 10:00', 'DD Mon YYYY HH24:MI') → 2018-08-01 10:00:00+00", p, timestampTZ,
			fn.Scalar{New: func(call fn.Call) (fn.Kernel, error) {
				cache := &templateCache{}
				return withSessionZone(func(r row, zone *time.Location) (int64, bool, error) {
					s, err := read(r, cache)
					if err != nil {
						return 0, false, err
					}
					t, err := s.timestamp(r.str(0))
					if err != nil || s.hasOffset {
						return t - int64(s.offset)*types.MicrosPerSecond, true, err
					}
					return types.UTCFromLocal(t, zone), true, nil
				}).New(call)
			}}))))
	return append(out, percentFormats()...)
}

func (s *readStamp) timestamp(source string) (int64, error) {
	days, err := s.days(source)
	if err != nil {
		return 0, err
	}
	ofDay, err := s.timeOfDay(source)
	return days*types.MicrosPerDay + ofDay, err
}

// percentTemplate rewrites the %-formats of date_format and date_parse, which come from MySQL, as a
// to_char template.
func percentTemplate(format string) (string, error) {
	var out strings.Builder
	text := func(s string) {
		out.WriteString(`"` + strings.ReplaceAll(strings.ReplaceAll(s, `\`, `\\`), `"`, `\"`) + `"`)
	}
	fields := map[byte]string{'Y': "YYYY", 'y': "YY", 'm': "MM", 'c': "FMMM", 'd': "DD", 'e': "FMDD", 'H': "HH24", 'k': "FMHH24", 'h': "HH12", 'I': "HH12",
		'l': "FMHH12", 'i': "MI", 's': "SS", 'S': "SS", 'f': "US", 'p': "AM", 'M': "FMMonth", 'b': "Mon", 'W': "FMDay", 'a': "Dy", 'j': "DDD",
		'v': "IW", 'x': "IYYY", 'T': "HH24:MI:SS", 'r': "HH12:MI:SS AM"}
	for i := 0; i < len(format); i++ {
		if format[i] != '%' || i+1 == len(format) {
			text(format[i : i+1])
			continue
		}
		i++
		if field, ok := fields[format[i]]; ok {
			out.WriteString(field)
		} else if strings.IndexByte("DUuVwX", format[i]) >= 0 {
			return "", errorf(sqlerr.InvalidParameterValue, "%%%c is not supported in date format strings", format[i])
		} else {
			text(format[i : i+1])
		}
	}
	return out.String(), nil
}

func percentFormats() []fn.Overload {
	templates := func() func(string) ([]formatToken, error) {
		cache, last, translated := templateCache{}, "", ""
		return func(format string) ([]formatToken, error) {
			if translated == "" || format != last {
				var err error
				if translated, err = percentTemplate(format); err != nil {
					return nil, err
				}
				last = strings.Clone(format)
			}
			return cache.get(translated), nil
		}
	}
	var out []fn.Overload
	for _, t := range []types.Type{timestamp, timestampTZ} {
		o := failing(timeRow("date_format", "Writes a moment by a format: %Y %m %d %H %i %s %f %M %W and more.", "date_format(timestamp '2018-08-01 17:05', '%Y/%m/%d %H:%i') → 2018/08/01 17:05",
			params("t", t, "format", text), text, fn.Scalar{New: func(call fn.Call) (fn.Kernel, error) {
				zone, err := zoneOf(&call)
				if err != nil {
					return nil, err
				}
				tokens := templates()
				return toText(func(dst []byte, r row) ([]byte, bool, error) {
					list, err := tokens(r.str(1))
					if err != nil {
						return dst, false, err
					}
					m := momentOfTimestamp(r.int64(0))
					if t.Kind == types.TimestampTZ {
						m = momentOfTimestampTZ(r.int64(0), zone)
					}
					return appendStamp(dst, stampOf(m, ""), list), m.infinite == 0, nil
				}).New(call)
			}}))
		o.Volatility = volatilityOf(t)
		out = append(out, o)
	}
	return append(out, failing(timeRow("date_parse", "Reads a timestamp by a format: %Y %m %d %H %i %s and more.", "date_parse('2018/08/01', '%Y/%m/%d') → 2018-08-01 00:00:00", params("s", text, "format", text), timestamp,
		fn.Scalar{New: func(call fn.Call) (fn.Kernel, error) {
			tokens := templates()
			return toFixed(func(r row) (int64, bool, error) {
				list, err := tokens(r.str(1))
				if err != nil {
					return 0, false, err
				}
				s := &readStamp{}
				if err := s.read(strings.Clone(r.str(0)), "", list); err != nil {
					return 0, false, err
				}
				if !s.hasYear && !s.hasISO {
					s.year, s.hasYear = 1970, true
				}
				t, err := s.timestamp(r.str(0))
				return t, true, err
			}).New(call)
		}})))
}
