package orc

// Writers in Java use by default the hybrid calendar, Julian before 15 October 1582; the same
// calendar date is then stored as another day number than in the proleptic Gregorian calendar.

const (
	// gregorianStart is 1582-10-15.
	gregorianStart = -141_427
	secondsPerDay  = 86_400
)

// hybridCalendar tells whether the file's dates and timestamps are of the hybrid calendar.
func (f *File) hybridCalendar() bool {
	switch f.meta.calendar {
	case calendarJulianGregorian:
		return true
	case calendarProleptic:
		return false
	}
	return f.meta.writer == writerJava
}

// prolepticDay gives the day that has the same date in the proleptic calendar.
func prolepticDay(day int64) int64 {
	if day >= gregorianStart {
		return day
	}
	// The Julian calendar has a leap year every four years; day 0 here is 0000-03-01.
	const julianEpoch = 719_470 // days from Julian 0000-03-01 to 1970-01-01
	n := day + julianEpoch
	cycle := floorDiv(n, 1461)
	inCycle := n - cycle*1461
	year := min(inCycle/365, 3)
	dayOfYear := inCycle - year*365
	year += cycle * 4
	return gregorianDay(year, dayOfYear)
}

// gregorianDay gives the day number of a date, given by the year and the day from 1 March on.
func gregorianDay(year, dayOfYear int64) int64 {
	const gregorianEpoch = 719_468 // days from proleptic 0000-03-01 to 1970-01-01
	return year*365 + floorDiv(year, 4) - floorDiv(year, 100) + floorDiv(year, 400) + dayOfYear - gregorianEpoch
}

func prolepticSeconds(seconds int64) int64 {
	day := floorDiv(seconds, secondsPerDay)
	if day >= gregorianStart {
		return seconds
	}
	return seconds + (prolepticDay(day)-day)*secondsPerDay
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b != 0 && (a < 0) != (b < 0) {
		q--
	}
	return q
}
