package durability

import (
	"context"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/tarnlake/tarn/internal/plan"
	"github.com/tarnlake/tarn/test/endless"
)

// TestCancelAnywhere cancels, and leaves, statements of every kind while they run: their clients are
// told so, and they leave no goroutine, no memory, no file.
func TestCancelAnywhere(t *testing.T) {
	s := newSite(t, false)
	s.Drivers = 2
	v := s.start(t)
	conn := v.connect()
	must(t, conn, endless.Setup)
	files := len(tree(t, s.Data))
	covered := map[string]bool{"Exchange": true} // one server's plans hold none
	before, _ := v.held()
	for _, st := range endless.Statements {
		t.Run(st.Doing, func(t *testing.T) {
			v.t = t
			shown := must(t, conn, "EXPLAIN (FORMAT PLAN) "+st.SQL)[0]
			for _, kind := range plan.NodeKinds() {
				covered[kind] = covered[kind] || strings.Contains(shown, `"kind":"`+kind+`"`)
			}
			if !strings.Contains(shown, `"kind":"`+st.Kind+`"`) {
				t.Errorf("the plan has no %s", st.Kind)
			}
			for _, vanishes := range []bool{false, true} {
				victim := v.connect()
				failed := make(chan error, 1)
				go func() {
					_, err := victim.Exec(context.Background(), st.SQL).ReadAll()
					failed <- err
				}()
				time.Sleep(time.Duration(20+rand.IntN(100)) * time.Millisecond)
				select {
				case err := <-failed:
					t.Fatalf("it ended by itself: %v", err)
				default:
				}
				if vanishes {
					_ = victim.Conn().Close()
					<-failed
				} else if err := cancelUntil(victim, failed); codeOf(err) != "57014" {
					t.Errorf("canceled: %v", err)
				}
				closeNow(victim)
				v.settle(before)
			}
		})
	}
	v.t = t
	for _, kind := range plan.NodeKinds() {
		if !covered[kind] {
			t.Errorf("no statement runs %s", kind)
		}
	}
	if now := tree(t, s.Data); len(now) != files {
		t.Errorf("files are left: %q", now)
	}
}

// cancelUntil asks for a cancel, again if need be: a request that comes before its statement has no
// effect.
func cancelUntil(conn *pgconn.PgConn, failed chan error) error {
	ctx, stop := context.WithTimeout(context.Background(), time.Minute)
	defer stop()
	for {
		if err := conn.CancelRequest(ctx); err != nil {
			return err
		}
		select {
		case err := <-failed:
			return err
		case <-time.After(time.Second):
		}
	}
}

// tree lists the files of the warehouse and those that were spilled.
func tree(t *testing.T, data string) (files []string) {
	t.Helper()
	for _, folder := range []string{"warehouse", "spill", "temp"} {
		err := filepath.WalkDir(filepath.Join(data, folder), func(path string, entry os.DirEntry, err error) error {
			if err == nil && !entry.IsDir() {
				files = append(files, path)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return files
}
