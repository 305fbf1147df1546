package cert

import (
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// Never is 99991231235959Z in Unix seconds, the notAfter of what doesn't expire
// (RFC 5280, section 4.1.2.5).
const Never = 253402300799

// readTime reads a Time in the two forms of RFC 5280, sections 4.1.2.5.1 and 4.1.2.5.2, as Unix seconds.
func readTime(s *cryptobyte.String) (int64, bool) {
	var t cryptobyte.String
	var tag asn1.Tag
	if !s.ReadAnyASN1(&t, &tag) || len(t) == 0 {
		return 0, false
	}
	digits := t[:len(t)-1]
	for _, c := range digits {
		if c < '0' || c > '9' {
			return 0, false
		}
	}
	if t[len(t)-1] != 'Z' {
		return 0, false
	}
	var year int64
	switch {
	case tag == asn1.UTCTime && len(digits) == len("YYMMDDHHMMSS"):
		// Two digits of the year stand for 1950 to 2049.
		if year = twoDigits(digits) + 1900; year < 1950 {
			year += 100
		}
		digits = digits[2:]
	case tag == asn1.GeneralizedTime && len(digits) == len("YYYYMMDDHHMMSS"):
		// Years that UTCTime can say must be said with it.
		if year = twoDigits(digits)*100 + twoDigits(digits[2:]); year < 2050 {
			return 0, false
		}
		digits = digits[4:]
	default:
		return 0, false
	}
	month, day := twoDigits(digits), twoDigits(digits[2:])
	hour, minute, second := twoDigits(digits[4:]), twoDigits(digits[6:]), twoDigits(digits[8:])
	if month < 1 || month > 12 || day < 1 || day > daysIn(year, month) || hour > 23 || minute > 59 || second > 59 {
		return 0, false
	}
	return ((daysSince1970(year, month, day)*24+hour)*60+minute)*60 + second, true
}

// twoDigits is the number of the two digits that b starts with.
func twoDigits(b []byte) int64 { return int64(b[0]-'0')*10 + int64(b[1]-'0') }

func daysIn(year, month int64) int64 {
	switch month {
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	case 4, 6, 9, 11:
		return 30
	}
	return 31
}

// daysSince1970 counts in the Gregorian calendar; before 1970 the result is negative.
func daysSince1970(year, month, day int64) int64 {
	y := year - 1
	days := y*365 + y/4 - y/100 + y/400 - 719162 // to January 1 of the year, less the days to 1970
	for m := int64(1); m < month; m++ {
		days += daysIn(year, m)
	}
	return days + day - 1
}
