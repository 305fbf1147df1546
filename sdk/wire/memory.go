package wire

import "unsafe"

// A list is a slice of any type, as it lies in memory.
type list struct {
	data     unsafe.Pointer
	len, cap int
}

func (l *list) at(i int, size uintptr) unsafe.Pointer {
	return unsafe.Add(l.data, uintptr(i)*size)
}

func loadInt(v unsafe.Pointer, size uintptr) int64 {
	switch size {
	case 1:
		return int64(*(*int8)(v))
	case 2:
		return int64(*(*int16)(v))
	case 4:
		return int64(*(*int32)(v))
	}
	return *(*int64)(v)
}

func loadUint(v unsafe.Pointer, size uintptr) uint64 {
	switch size {
	case 1:
		return uint64(*(*uint8)(v))
	case 2:
		return uint64(*(*uint16)(v))
	case 4:
		return uint64(*(*uint32)(v))
	}
	return *(*uint64)(v)
}

// store writes the low bytes of x, which are a number of this size with or without a sign.
func store(v unsafe.Pointer, size uintptr, x uint64) {
	switch size {
	case 1:
		*(*uint8)(v) = uint8(x)
	case 2:
		*(*uint16)(v) = uint16(x)
	case 4:
		*(*uint32)(v) = uint32(x)
	default:
		*(*uint64)(v) = x
	}
}

// fitsInt reports whether x is a signed number of this size.
func fitsInt(x int64, size uintptr) bool {
	unused := 64 - 8*size
	return x<<unused>>unused == x
}

func fitsUint(x uint64, size uintptr) bool { return size == 8 || x>>(8*size) == 0 }
