package objstore_test

import (
	"testing"

	"github.com/tarnlake/tarn/internal/objstore"
	"github.com/tarnlake/tarn/internal/objstore/objtest"
)

func TestLocalIsAStore(t *testing.T) {
	store, err := objstore.OpenLocal(t.TempDir(), objstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	objtest.Run(t, store)
}
