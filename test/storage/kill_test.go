package storage

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/tarnlake/tarn/cmd/tarn/node"
	"github.com/tarnlake/tarn/cmd/tarn/wiring"
	"github.com/tarnlake/tarn/internal/config"
	"github.com/tarnlake/tarn/planner/parser"
	"github.com/tarnlake/tarn/test/s3test"
)

// serverVariable makes the test binary a server on the data directory that it holds.
const serverVariable = "TARN_TEST_STORAGE_SERVER"

func TestMain(m *testing.M) {
	if data := os.Getenv(serverVariable); data != "" {
		fmt.Fprintln(os.Stderr, serve(data))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// serve runs until it is killed or its input ends.
func serve(data string) error {
	ctx := context.Background()
	loaded, err := config.Load(config.Sources{Environment: os.Environ()})
	if err != nil {
		return err
	}
	c := loaded.Config
	c.Server.PgListen, c.Server.HTTPListen, c.Server.Data = "127.0.0.1:0", "", data
	system, err := wiring.Open(ctx, wiring.Options{Config: c, Drivers: 2})
	if err != nil {
		return err
	}
	n, err := node.Start(ctx, node.Options{Config: c, Version: "test", Engine: system.Engine, Parse: parser.Parse, Listen: true})
	if err != nil {
		return err
	}
	fmt.Println(n.Address())
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

// process is a server in a process of its own.
type process struct {
	*client
	command *exec.Cmd
}

func spawn(t *testing.T, data, endpoint string) *process {
	t.Helper()
	command := exec.Command(os.Args[0])
	command.Env = append(os.Environ(), serverVariable+"="+data, "TARN_STORAGE_WAREHOUSE=s3://"+s3test.Bucket+"/warehouse", "TARN_STORAGE_S3_ENDPOINT="+endpoint,
		"TARN_STORAGE_S3_REGION=us-east-1", "TARN_STORAGE_S3_PATH_STYLE=true", "TARN_STORAGE_S3_ACCESS_KEY_ID="+s3test.AccessKey,
		"TARN_STORAGE_S3_SECRET_ACCESS_KEY="+s3test.SecretKey, "TARN_STORAGE_S3_PART_SIZE=5MB")
	command.Stderr = os.Stderr
	input, err := command.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	output, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	p := &process{command: command}
	t.Cleanup(func() {
		_ = input.Close()
		p.kill()
	})
	lines := bufio.NewScanner(output)
	if !lines.Scan() {
		t.Fatal("the server did not start")
	}
	conn, err := pgconn.Connect(t.Context(), "postgres://tester@"+lines.Text()+"/tarn?sslmode=disable")
	if err != nil {
		t.Fatal(err)
	}
	p.client = &client{t: t, conn: conn}
	return p
}

func (p *process) kill() {
	_ = p.command.Process.Kill()
	_ = p.command.Wait()
}

// TestKilledWriters kills servers while they overwrite a partition, at a request to storage chosen at
// random: the next one finds the old rows or the new ones, and VACUUM leaves what the catalog lists.
// TARN_TEST_KILLS says how often.
func TestKilledWriters(t *testing.T) {
	kills := 8
	if text := os.Getenv("TARN_TEST_KILLS"); text != "" {
		var err error
		if kills, err = strconv.Atoi(text); err != nil {
			t.Fatal(err)
		}
	}
	server := s3test.Start(t)
	var victim atomic.Pointer[process]
	var passing atomic.Int64
	proxy := s3test.StartProxy(t, server, func(r *http.Request) s3test.Fault {
		if r.Method == http.MethodGet || r.Method == http.MethodHead || passing.Add(-1) != 0 {
			return s3test.Pass
		}
		if p := victim.Swap(nil); p != nil {
			_ = p.command.Process.Kill()
		}
		return s3test.Pass // the request itself arrives
	})
	data := t.TempDir()
	p := spawn(t, data, proxy.URL)
	p.run("CREATE TABLE t (generation int, id bigint, text text, ds date) PARTITIONED BY (ds)")
	overwrite := func(generation int) string {
		return fmt.Sprintf(`INSERT OVERWRITE t PARTITION (ds = DATE '2020-01-01')
SELECT %d, i, md5(i::text) || md5((i + %[1]d)::text) FROM generate_series(1, 450000) g(i)`, generation)
	}
	const never = 1 << 40
	passing.Store(never)
	p.run(overwrite(0))
	writes := never - passing.Load()
	generation, died := 0, 0
	for i := range kills {
		passing.Store(1 + rand.Int64N(writes))
		victim.Store(p)
		_, err := p.try(overwrite(i + 1))
		killed := victim.Swap(nil) == nil
		p.kill()
		if killed {
			died++
		} else if err != nil {
			t.Fatal(err)
		}
		passing.Store(0)
		p = spawn(t, data, proxy.URL)
		found := p.run("SELECT generation, count(*), count(DISTINCT id), min(ds) FROM t GROUP BY generation")
		switch found {
		case fmt.Sprintf("%d|450000|450000|2020-01-01", i+1):
			generation = i + 1
		case fmt.Sprintf("%d|450000|450000|2020-01-01", generation):
			if !killed {
				t.Fatalf("round %d: a committed write is gone", i)
			}
		default:
			t.Fatalf("round %d: %s after generation %d", i, found, generation)
		}
		p.run("VACUUM (history '0s', grace '0s')")
		listed := strings.Split(p.run("SELECT path FROM system.files ORDER BY path"), "\n")
		there := server.Objects(t, s3test.Bucket)
		if len(listed) != len(there) {
			t.Fatalf("round %d: %q are listed, %q are there", i, listed, there)
		}
	}
	if died < kills/2 {
		t.Errorf("only %d of %d servers were killed in time", died, kills)
	}
	t.Logf("%d of %d servers were killed, at one of %d requests", died, kills, writes)
}
