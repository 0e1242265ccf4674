package wiring

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/tarnlake/tarn/catalog"
	"github.com/tarnlake/tarn/connectors"
	"github.com/tarnlake/tarn/connectors/files"
	"github.com/tarnlake/tarn/connectors/input"
	"github.com/tarnlake/tarn/connectors/lake"
	memorytables "github.com/tarnlake/tarn/connectors/memory"
	"github.com/tarnlake/tarn/connectors/system"
	"github.com/tarnlake/tarn/connectors/tpch"
	"github.com/tarnlake/tarn/coordinator/admission"
	"github.com/tarnlake/tarn/coordinator/engine"
	"github.com/tarnlake/tarn/coordinator/querylog"
	"github.com/tarnlake/tarn/coordinator/session"
	"github.com/tarnlake/tarn/coordinator/statement"
	"github.com/tarnlake/tarn/exec/eval"
	"github.com/tarnlake/tarn/exec/functions"
	"github.com/tarnlake/tarn/exec/pipeline"
	"github.com/tarnlake/tarn/internal/config"
	"github.com/tarnlake/tarn/internal/expr"
	"github.com/tarnlake/tarn/internal/fn"
	"github.com/tarnlake/tarn/internal/memory"
	"github.com/tarnlake/tarn/internal/objstore"
	"github.com/tarnlake/tarn/internal/objstore/diskcache"
	"github.com/tarnlake/tarn/internal/objstore/metadata"
	"github.com/tarnlake/tarn/internal/objstore/s3"
	"github.com/tarnlake/tarn/internal/plan"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
)

// Options say how to join the parts.
type Options struct {
	Config *config.Config
	// InMemory keeps the catalog in memory and all files in a directory that Close removes.
	InMemory bool
	// Entries are Config's, with their origins, for system.settings; nil: the origins are unknown.
	Entries []config.Entry
	// AnyPath lets SQL name every local path: for a shell's own engine and for demonstrations.
	AnyPath bool
	Log     *slog.Logger
	// BatchSize, Drivers, Force and ForceSpill change how plans run, for tests; 0 and false are normal.
	BatchSize  int
	Drivers    int
	Force      pipeline.Force
	ForceSpill bool
	// FailPoint is called at every step of writes and commits, for tests.
	FailPoint func(step string) error
	// Stores replaces local storage, for tests.
	Stores objstore.Locator
	// Ran sees every plan that is run and Folded every expression that planning evaluates, for tests;
	// both may be called by several sessions at once.
	Ran    func(root plan.Node)
	Folded func(e expr.Expr)
}

// System is a process's working parts.
type System struct {
	Engine   *engine.Engine
	Catalog  *catalog.Catalog
	Registry *fn.Registry
	Runner   *Runner
	Memory   *memory.Pool
	// Stores finds what SQL may name.
	Stores objstore.Locator
	Data   string

	admission  *admission.Controller
	temporary  string // directory to remove at the end
	config     *config.Config
	entries    []config.Entry
	buckets    *s3.Buckets
	metadata   *metadata.Cache
	disk       *diskcache.Cache // nil without one
	log        *querylog.Log
	sessions   atomic.Pointer[session.Manager]
	membership atomic.Pointer[Membership] // nil outside clusters
	outside    atomic.Pointer[Outside]
}

// Open opens the catalog and joins everything to it.
func Open(ctx context.Context, options Options) (system *System, err error) {
	s := &System{Data: options.Config.Server.Data, Registry: functions.Registry()}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	if options.InMemory {
		if s.temporary, err = os.MkdirTemp("", "tarn-"); err != nil {
			return nil, err
		}
		s.Data = s.temporary
	}
	if s.Data, err = filepath.Abs(s.Data); err != nil {
		return nil, err
	}
	for _, dir := range []string{"warehouse", "temp", "spill"} {
		if err = os.MkdirAll(filepath.Join(s.Data, dir), 0o755); err != nil {
			return nil, err
		}
	}
	if s.Catalog, err = catalog.Open(ctx, s.catalogLocation(options), catalog.Options{
		Warehouse: s.warehouse(options.Config), Poll: time.Duration(options.Config.Catalog.PollInterval), Log: options.Log, FailPoint: options.FailPoint}); err != nil {
		return nil, err
	}
	s.metadata = metadata.New(int64(options.Config.MetadataLimit()))
	s.Memory = memory.NewRoot("memory.limit", queryMemory(options.Config))
	s.config, s.entries = options.Config, entriesOf(options)
	if s.log, err = querylog.Open(filepath.Join(s.Data, "log")); err != nil {
		return nil, err
	}
	return s, s.join(options)
}

// queryMemory is what queries may reserve: what the cache of metadata leaves.
func queryMemory(c *config.Config) int64 {
	limit := c.Memory.PoolLimit()
	return int64(max(limit-c.MetadataLimit(), limit/2))
}

// BoundMemory keeps the process within memory.limit: Go's heap gets what the limit leaves beside the
// memory that queries have outside it. It is for processes that have one System.
func (s *System) BoundMemory() {
	limit := s.config.Memory.MemoryLimit()
	config.ApplyGoLimit(limit, 0)
	config.PaceCollector(limit, s.config.Server.CPUSlots)
	s.Memory.Watch(func(outside int64) { config.ApplyGoLimit(limit, config.Size(outside)) })
}

func (s *System) catalogLocation(options Options) string {
	switch {
	case options.InMemory, !options.Config.Cluster.Coordinates(): // a fragment carries all that workers need
		return "memory:"
	case options.Config.Catalog.URL != "":
		return options.Config.Catalog.URL
	}
	return filepath.Join(s.Data, "catalog.db")
}

func (s *System) join(options Options) error {
	stores, err := s.stores(options)
	if err != nil {
		return err
	}
	s.Stores = stores
	opener := files.NewOpener(s.metadata, s.Memory.Child("footers of files", s.Memory.Limit()/2))
	tables := lake.New(lake.Options{Stores: stores, Opener: opener, Lister: s.Catalog, FailPoint: options.FailPoint})
	benchmark := tpch.New()
	inMemory := memorytables.New("", s.Memory)
	loose := files.New(files.Options{Stores: stores, Opener: opener, ParseType: parseType})
	handed := input.New("")
	registered := map[string]connectors.Connector{catalog.ConnectorName: tables, files.ConnectorName: loose, tpch.Name: benchmark,
		memorytables.Name: inMemory, input.Name: handed}
	own, pg, err := s.virtual()
	if err != nil {
		return err
	}
	registered[system.ConnectorName] = own
	s.Runner = newRunner(s, registered, options)
	s.admission = admission.New(options.Config.Groups())
	s.Engine = engine.New(engine.Config{
		Catalog: s.Catalog, Registry: s.Registry, Connectors: registered,
		Relations: []engine.Relations{virtualRelations{own}, tpchRelations{benchmark}}, Lookup: s.lookup(pg), Functions: fileFunctions{loose},
		Fold: func(e expr.Expr, session *fn.Session) (types.Datum, error) {
			if options.Folded != nil {
				options.Folded(e)
			}
			return eval.Fold(e, eval.Env{Registry: s.Registry, Session: planning(session)})
		},
		Runner: s.Runner, Cluster: s.Runner, Admission: s.admission, TempDirectory: filepath.Join(s.Data, "temp"),
		Utility: statement.New(statement.Config{Registry: s.Registry, Catalog: s.Catalog, Files: loose, Lake: tables, Stores: stores, Input: handed}),
	})
	return nil
}

// planning is a session for constants that are computed before the query has memory of its own: long
// ones fail, which leaves them to the query.
func planning(session *fn.Session) *fn.Session {
	bounded := *session
	bounded.Room = func(bytes int64) error {
		if bytes > 64<<20 {
			return sqlerr.New(sqlerr.OutOfMemory, "out of memory: a constant needs %s", memory.FormatBytes(bytes))
		}
		return nil
	}
	return &bounded
}

// Accounts knows the users of the catalog.
func (s *System) Accounts() statement.Accounts { return statement.Accounts{Catalog: s.Catalog} }

// cpuSlots is how many threads run queries.
func cpuSlots(c *config.Config) int {
	if c.Server.CPUSlots > 0 {
		return c.Server.CPUSlots
	}
	return runtime.GOMAXPROCS(0)
}

// Close closes the catalog; sessions must have ended.
func (s *System) Close() error {
	var errs []error
	if s.log != nil {
		errs = append(errs, s.log.Close())
	}
	if s.Catalog != nil {
		errs = append(errs, s.Catalog.Close())
	}
	if s.disk != nil {
		errs = append(errs, s.disk.Close())
	}
	if s.temporary != "" {
		errs = append(errs, os.RemoveAll(s.temporary))
	}
	return errors.Join(errs...)
}
