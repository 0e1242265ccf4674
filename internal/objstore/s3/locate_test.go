package s3

import (
	"testing"

	"github.com/tarnlake/tarn/internal/objstore"
	"github.com/tarnlake/tarn/internal/sqlerr"
)

func TestLocate(t *testing.T) {
	b := NewBuckets(0, func(string) Options { return Options{} })
	for location, want := range map[string][2]string{
		"s3://lake/a/b.csv": {"lake", "a/b.csv"}, "s3a://lake/a//b%20c/": {"lake", "a//b%20c/"}, "S3N://lake": {"lake", ""}, "s3://lake/": {"lake", ""},
		"s3://lake/x/*.parquet": {"lake", "x/*.parquet"},
	} {
		store, key, err := b.Locate(location)
		if err != nil || key != want[1] || store.(*Store).Bucket() != want[0] {
			t.Errorf("%s: %v, %q, %v", location, store, key, err)
		}
	}
	one, _, _ := b.Locate("s3://lake/a")
	two, _, _ := b.Locate("s3a://lake/b")
	if one != two || len(b.Used()) != 1 {
		t.Error("one bucket has two stores")
	}
	for _, location := range []string{"s3://", "s3:///key", "s3://buck*t/x", "gs://b/k", "s3://k:s@b/x"} {
		if _, _, err := b.Locate(location); sqlerr.CodeOf(err) != sqlerr.InvalidParameterValue {
			t.Errorf("%s: %v", location, err)
		}
	}
}

func TestCoalesce(t *testing.T) {
	ranges := []objstore.Range{{Offset: 5 << 20, Length: 10}, {Offset: 0, Length: 10}, {Offset: 100, Length: 10}, {Offset: 1 << 20, Length: 10},
		{Offset: 20 << 20, Length: 17 << 20}, {Offset: 4, Length: 3}}
	buffers := make([][]byte, len(ranges))
	for i, r := range ranges {
		buffers[i] = make([]byte, r.Length)
	}
	got := coalesce(ranges, buffers)
	want := [][2]int64{{0, 10}, {4, 1<<20 + 10}, {5 << 20, 5<<20 + 10}, {20 << 20, 28 << 20}, {28 << 20, 37 << 20}}
	if len(got) != len(want) {
		t.Fatalf("%d pieces: %+v", len(got), got)
	}
	for i, p := range got {
		if p.start != want[i][0] || p.end != want[i][1] {
			t.Errorf("piece %d is [%d, %d), want %v", i, p.start, p.end, want[i])
		}
	}
}
