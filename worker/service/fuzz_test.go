package service_test

import (
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/tarnlake/tarn/exec/pipeline"
	"github.com/tarnlake/tarn/internal/memory"
	"github.com/tarnlake/tarn/internal/rpc"
	"github.com/tarnlake/tarn/worker/service"
)

// FuzzRequests sends anything to every path of a worker: each is answered, and nothing stays behind.
func FuzzRequests(f *testing.F) {
	paths := []string{rpc.StartPath, rpc.StatusPath, rpc.ReleasePath, rpc.FiltersPath, rpc.PagesPath, rpc.StopPath, "/other"}
	for i, body := range []string{
		`{"Query":"q","Tasks":[{"Task":{"Query":"q"},"Fragment":{"Root":{"kind":"Values","Rows":[]},"Output":{"Kind":0,"Readers":1}},"Consumers":[1]}]}`,
		`{"Query":"q"}`, `{"Query":"q","Failed":true}`, `{"Query":"q","Filters":[{"ID":1,"Learnt":{"None":true}}]}`,
		`{"Task":{"Query":"q"},"Sequence":18446744073709551615,"WaitMillis":1}`, `{"Task":{"Query":"q"},"Reader":-1}`, `[[[`,
		`{"Query":"q","Tasks":[{"Fragment":{"Root":{"kind":"Exchange","Kind":2},"Output":{"Kind":2,"Keys":[-1],"Readers":1}},"Consumers":[0]}]}`,
		`{"Query":"q","Tasks":[{"Fragment":{"Root":{"kind":"Values"},"Output":{"Kind":2}},"Consumers":[]}]}`,
	} {
		f.Add(i%len(paths), body)
	}
	pool := memory.NewRoot("test", memory.Unlimited)
	worker := service.New(service.Config{Address: "127.0.0.1:1", Client: rpc.NewClient("", nil),
		Query: func(*rpc.StartRequest) (pipeline.Environment, error) {
			return pipeline.Environment{Pool: pool.Child("query", memory.Unlimited)}, nil
		}})
	f.Cleanup(worker.Close)
	mux := rpc.NewMux("", nil)
	worker.Register(mux)
	f.Fuzz(func(t *testing.T, path int, body string) {
		if strings.Contains(body, "WaitMillis") && path >= 0 && len(body) > 200 {
			return // may ask to wait
		}
		request := httptest.NewRequest(http.MethodPost, paths[uint(path)%uint(len(paths))], strings.NewReader(body))
		request.Header.Set("Tarn-Version", strconv.Itoa(rpc.Version))
		answer := httptest.NewRecorder()
		mux.ServeHTTP(answer, request)
		if strings.Contains(answer.Body.String(), "internal error") {
			t.Fatalf("%s", answer.Body)
		}
		for _, id := range worker.IDs() {
			release := httptest.NewRequest(http.MethodPost, rpc.ReleasePath, strings.NewReader(`{"Query":`+strconv.Quote(id)+`,"Failed":true}`))
			release.Header = request.Header
			mux.ServeHTTP(httptest.NewRecorder(), release)
		}
		if pool.Used() != 0 || len(worker.IDs()) != 0 {
			t.Fatalf("%d bytes of %d queries are left", pool.Used(), len(worker.IDs()))
		}
	})
}
