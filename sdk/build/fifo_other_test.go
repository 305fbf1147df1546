//go:build !unix

package build_test

import "errors"

func mkfifo(string) error { return errors.ErrUnsupported }
