package sdk

import (
	"reflect"
	"strconv"
	"unicode/utf8"
)

// Text formats for people, as fmt.Sprintf would, with what a contract needs: %s, %d
// and %v print any text, number, bool, bytes (in hex), error or value with a String
// method; %q quotes it; %% is a percent sign. There are no widths.
func Text(format string, args ...any) string {
	b := make([]byte, 0, len(format)+16*len(args))
	next := 0
	for i := 0; i < len(format); i++ {
		if format[i] != '%' || i+1 == len(format) {
			b = append(b, format[i])
			continue
		}
		i++
		if format[i] == '%' {
			b = append(b, '%')
			continue
		}
		if next == len(args) {
			b = append(b, "(missing)"...)
			continue
		}
		if format[i] == 'q' {
			b = strconv.AppendQuote(b, display(args[next]))
		} else {
			b = append(b, display(args[next])...)
		}
		next++
	}
	return string(b)
}

func display(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case error:
		return v.Error()
	case interface{ String() string }:
		return v.String()
	case nil:
		return "nothing"
	}
	rv := reflect.ValueOf(v)
	switch rv.Kind() {
	case reflect.String:
		return rv.String()
	case reflect.Bool:
		return strconv.FormatBool(rv.Bool())
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return strconv.FormatInt(rv.Int(), 10)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return strconv.FormatUint(rv.Uint(), 10)
	case reflect.Slice, reflect.Array:
		if rv.Type().Elem().Kind() == reflect.Uint8 {
			const digits = "0123456789abcdef" // encoding/hex imports fmt
			b := make([]byte, 0, 2*rv.Len())
			for i := range rv.Len() {
				c := rv.Index(i).Uint()
				b = append(b, digits[c>>4], digits[c&15])
			}
			return string(b)
		}
		s := "["
		for i := range rv.Len() {
			if i > 0 {
				s += " "
			}
			s += display(rv.Index(i).Interface())
		}
		return s + "]"
	}
	return "a " + rv.Type().String()
}

// clip cuts s to at most limit bytes, between two characters.
func clip(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	for limit > 0 && !utf8.RuneStart(s[limit]) {
		limit--
	}
	return s[:limit]
}
