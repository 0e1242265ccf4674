package objstore

import (
	"os"
	"testing"
)

func TestCanonical(t *testing.T) {
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for location, want := range map[string]string{
		"s3a://b/x/": "s3://b/x", "S3N://b": "s3://b", "s3://b/x//": "s3://b/x", "file:///a/b/../c/": "/a/c", "/a//b/": "/a/b", "rel/x": here + "/rel/x", "": "",
		"gs://b/x/": "gs://b/x",
	} {
		if got := Canonical(location); got != want {
			t.Errorf("%s: %s, want %s", location, got, want)
		}
	}
}
