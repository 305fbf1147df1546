package template

import (
	"bytes"
	"os"
	"testing"
)

// What is carried has the licence of this repository, which stands in a folder that can't be embedded from here.
func TestLicence(t *testing.T) {
	want, err := os.ReadFile("../../LICENSE")
	if err != nil {
		t.Fatal(err)
	}
	got, err := policies.ReadFile("LICENSE")
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("the licence that is carried is not that of the repository: cp LICENSE sdk/template/LICENSE (%v)", err)
	}
}
