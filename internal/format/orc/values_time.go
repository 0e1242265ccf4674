package orc

import (
	"errors"
	"math"
	"time"

	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

var errTimestamp = errors.New("timestamp is out of range")

// baseSeconds is the moment from which stored seconds count: 2015-01-01 00:00 UTC; in another zone,
// that zone's midnight.
const baseSeconds = 1_420_070_400

// zoneOffsets gives the offsets of a time zone, fast for neighbouring moments.
type zoneOffsets struct {
	location   *time.Location
	from, to   int64 // the seconds for which offset holds
	offset     int64
	base       int64
	alwaysZero bool
}

func newZoneOffsets(location *time.Location) *zoneOffsets {
	z := &zoneOffsets{location: location, from: 1, to: 0}
	_, offset := time.Unix(baseSeconds, 0).In(location).Zone()
	z.base = time.Date(2015, 1, 1, 0, 0, 0, 0, location).Unix()
	z.alwaysZero = location == time.UTC || offset == 0 && (location.String() == "UTC" || location.String() == "GMT" || location.String() == "Etc/UTC")
	return z
}

// at gives the offset in seconds east of UTC.
func (z *zoneOffsets) at(seconds int64) int64 {
	if seconds < z.from || seconds >= z.to {
		z.look(seconds)
	}
	return z.offset
}

func (z *zoneOffsets) look(seconds int64) {
	const far = 1 << 62
	moment := time.Unix(seconds, 0).In(z.location)
	_, offset := moment.Zone()
	start, end := moment.ZoneBounds()
	z.offset, z.from, z.to = int64(offset), -far, far
	if !start.IsZero() {
		z.from = start.Unix()
	}
	if !end.IsZero() {
		z.to = end.Unix()
	}
}

// timestampValues reads timestamps: seconds, and nanoseconds whose zeros are left out.
type timestampValues struct {
	typ      types.Type
	reader   *Reader
	instant  bool
	hybrid   bool
	zone     *zoneOffsets
	seconds  intReader
	nanos    intReader
	second   []int64
	fraction []int64
}

func (v *timestampValues) open(s *openStripe, n *node) error {
	v.hybrid = v.reader.file.hybridCalendar()
	location := time.UTC
	if !v.instant {
		var err error
		if location, err = s.location(); err != nil {
			return err
		}
	}
	if v.zone == nil || v.zone.location.String() != location.String() {
		v.zone = newZoneOffsets(location)
	}
	if err := s.openInts(&v.seconds, n, streamData, true); err != nil {
		return err
	}
	return s.openInts(&v.nanos, n, streamSecondary, false)
}
func (v *timestampValues) inputs(to []*input) []*input {
	return append(to, &v.seconds.in, &v.nanos.in)
}
func (v *timestampValues) seek(_ *openStripe, _ int, p *positions) error {
	v.seconds.seek(p)
	v.nanos.seek(p)
	return nil
}
func (v *timestampValues) skip(n int) error {
	if err := v.seconds.skip(n); err != nil {
		return err
	}
	return v.nanos.skip(n)
}

func (v *timestampValues) read(dst *vec.Vector, r *rowSet) error {
	dst.Resize(v.typ, r.rows())
	seconds := resize(&v.second, r.count)
	if err := v.seconds.read(seconds[:r.count]); err != nil {
		return err
	}
	fraction := resize(&v.fraction, r.count)[:r.count]
	if err := v.nanos.read(fraction); err != nil {
		return err
	}
	if !v.join(seconds[:r.count], fraction) {
		return errTimestamp
	}
	place(vec.Values[int64](dst), seconds, r)
	return nil
}

// nanoFactors undo the cutting of zeros: codes 1 to 7 mean two to eight of them.
const nanoFactors = "\x00\x02\x03\x04\x05\x06\x07\x08"

// join makes microseconds since 1970 of seconds and nanoseconds; false when one is out of range.
func (v *timestampValues) join(seconds, fraction []int64) bool {
	const limit = 1 << 43                  // seconds whose microseconds fit
	const most = math.MaxInt64 / 1_000_000 // the last second of which some do: infinity's
	var powers [8]int64
	for code := range powers {
		powers[code] = 1
		for range nanoFactors[code] {
			powers[code] *= 10
		}
	}
	base, plain := v.zone.base, v.zone.alwaysZero && !v.hybrid
	good := true
	for i, s := range seconds {
		f := fraction[i]
		nanos := f >> 3 * powers[f&7]
		s += base
		if s < 0 && nanos > 999_999 { // writers round towards zero
			s--
		}
		// Arrow's writer puts moments before 1970 as a second rounded up and negative nanoseconds.
		good = good && s >= -most-1 && s <= most && nanos > -1_000_000_000 && nanos < 1_000_000_000 && f>>3 > -1_000_000_000 && f>>3 < 1_000_000_000
		if !plain {
			s += v.zone.at(s)
			if v.hybrid {
				s = prolepticSeconds(s)
			}
		}
		micros := s*1_000_000 + (nanos+1_000_000_000)/1000 - 1_000_000
		good = good && (s > -limit && s < limit || s < 0 == (micros < 0))
		seconds[i] = micros
	}
	return good
}
