package wire

// snake turns a Go field name into a wire name: a new word starts at an upper-case
// letter after a lower-case one or a digit, and at the last of a run of upper-case
// letters if a lower-case one follows (DeviceID, device_id; URLPath, url_path).
func snake(name string) string {
	out := make([]byte, 0, len(name)+4)
	for i := 0; i < len(name); i++ {
		c := name[i]
		if !upper(c) {
			out = append(out, c)
			continue
		}
		if i > 0 && name[i-1] != '_' && (!upper(name[i-1]) || i+1 < len(name) && lower(name[i+1])) {
			out = append(out, '_')
		}
		out = append(out, c-'A'+'a')
	}
	return string(out)
}

func upper(c byte) bool { return 'A' <= c && c <= 'Z' }
func lower(c byte) bool { return 'a' <= c && c <= 'z' }

// typeName makes a spec's type name of Go's: that of a generic type, such as
// Page[path.Device], becomes PageDevice.
func typeName(name string) string {
	out := make([]byte, 0, len(name))
	start := 0 // of the current identifier in out
	for i := 0; i < len(name); i++ {
		switch c := name[i]; {
		case upper(c), lower(c), '0' <= c && c <= '9', c == '_':
			if len(out) == start && start > 0 && lower(c) {
				c -= 'a' - 'A'
			}
			out = append(out, c)
		case c == '[', c == ']', c == ',':
			start = len(out)
		default: // part of an import path: only what follows the last dot counts
			out = out[:start]
		}
	}
	return string(out)
}

// FieldName is the key under which a field with this Go name and no tag is on the wire.
func FieldName(goName string) string { return snake(goName) }
