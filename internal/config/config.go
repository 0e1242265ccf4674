package config

import "time"

// Config is the whole configuration. It is immutable once loaded.
type Config struct {
	Server         Server                   `toml:"server"`
	TLS            TLS                      `toml:"tls"`
	Auth           Auth                     `toml:"auth"`
	Catalog        Catalog                  `toml:"catalog"`
	Storage        Storage                  `toml:"storage"`
	Memory         Memory                   `toml:"memory"`
	Spill          Spill                    `toml:"spill"`
	Cache          Cache                    `toml:"cache"`
	Cluster        Cluster                  `toml:"cluster"`
	Log            Log                      `toml:"log"`
	ResourceGroups map[string]ResourceGroup `toml:"resource_groups" doc:"Groups of queries with shares of CPU and memory; adhoc and etl are there by default."`
	Settings       map[string]string        `toml:"settings" doc:"Defaults of SQL settings (SHOW ALL lists them), for example statement_timeout = \"5min\"."`
}

// Server says where a node listens and how much it takes on.
type Server struct {
	PgListen       string   `toml:"pg_listen" doc:"Address of the PostgreSQL wire protocol."`
	HTTPListen     string   `toml:"http_listen" doc:"Address of /metrics and /health; empty turns HTTP off."`
	RPCListen      string   `toml:"rpc_listen" doc:"Address at which other nodes of the cluster send tasks and fetch pages."`
	Data           string   `toml:"data" doc:"Directory of the embedded catalog, of tables without a location and of spill files."`
	MaxConnections int      `toml:"max_connections" doc:"Clients at once; one more is refused with SQLSTATE 53300."`
	CPUSlots       int      `toml:"cpu_slots" doc:"Threads that run queries; 0 is the number of CPUs that the container may use."`
	DrainTimeout   Duration `toml:"drain_timeout" doc:"On SIGTERM running statements may finish within this time."`
	StartupTimeout Duration `toml:"startup_timeout" doc:"A client must have logged in within this time."`
	MaxMessage     Size     `toml:"max_message" doc:"Largest message of a client, and so the longest statement or parameter."`
}

// TLS encrypts connections of clients.
type TLS struct {
	Certificate string `toml:"certificate" doc:"File of the PEM certificate chain; empty turns TLS off."`
	Key         string `toml:"key" doc:"File of the PEM private key."`
	Required    bool   `toml:"required" doc:"Refuse clients of other machines that do not use TLS."`
}

// Auth says who may connect.
type Auth struct {
	TrustLoopback  bool              `toml:"trust_loopback" doc:"Clients of this machine need no password."`
	AllowCleartext bool              `toml:"allow_cleartext" doc:"Ask for the password itself (over TLS only), for clients that lack SCRAM."`
	Users          map[string]string `toml:"users" doc:"Users and their SCRAM verifiers, as 'tarn user' prints them; users of the catalog come on top."`
}

// Catalog is where names, versions and file lists are kept.
type Catalog struct {
	URL string `toml:"url" doc:"A postgres:// URL of a shared catalog; empty is SQLite below server.data."`
	// A statement sees what others have committed before it, whatever the poll is.
	PollInterval Duration `toml:"poll_interval" doc:"How often a coordinator looks in a shared catalog for commits that PostgreSQL has not told it of; statements look anyway."`
}

// Storage says where tables lie and how storage is reached.
type Storage struct {
	Warehouse         string            `toml:"warehouse" doc:"Where tables go that name no location: a directory or a URL such as s3://bucket/warehouse; empty is warehouse below server.data."`
	AllowedLocalRoots []string          `toml:"allowed_local_roots" doc:"Directories that SQL may name; the server's own data directory is always allowed."`
	S3                S3                `toml:"s3"`
	HTTP              HTTP              `toml:"http"`
	Buckets           map[string]Bucket `toml:"buckets" doc:"Buckets that are reached in another way: [storage.buckets.NAME] takes the keys of storage.s3."`
}

// Memory bounds the process.
type Memory struct {
	Limit      Size `toml:"limit" doc:"Memory of the whole process; 0 is 80 % of what the container or the machine has."`
	QueryLimit Size `toml:"query_limit" doc:"Memory of one query; 0 is memory.limit."`
}

// Spill is the disk space of queries that need more than their memory.
type Spill struct {
	Enabled bool   `toml:"enabled" doc:"Queries that need more memory than they may have use the disk instead of failing."`
	Dir     string `toml:"dir" doc:"Directory of spill files; empty is spill below server.data. Files left by a killed process are removed at start."`
	Limit   Size   `toml:"limit" doc:"Disk space of all queries together; 0 is no bound."`
}

// Log is the server's log on standard error.
type Log struct {
	Level  string `toml:"level" doc:"debug, info, warn or error."`
	Format string `toml:"format" doc:"text or json."`
}

// Default gives the configuration of a server that is told nothing.
func Default() *Config {
	return &Config{
		Server: Server{PgListen: "127.0.0.1:5439", HTTPListen: "127.0.0.1:8480", RPCListen: "127.0.0.1:8481", Data: "tarn-data", MaxConnections: 1000,
			DrainTimeout: Duration(30 * time.Second), StartupTimeout: Duration(time.Minute), MaxMessage: 256 << 20},
		Catalog: Catalog{PollInterval: Duration(500 * time.Millisecond)},
		Auth:    Auth{TrustLoopback: true, Users: map[string]string{}},
		Storage: Storage{Buckets: map[string]Bucket{}, S3: S3{MaxConnections: 64, RequestTimeout: Duration(20 * time.Second),
			MaxAttempts: 10, PartSize: 8 << 20},
			HTTP: HTTP{Enabled: true, MaxDownload: 4 << 30, RequestTimeout: Duration(20 * time.Second)}},
		Spill:    Spill{Enabled: true},
		Cluster:  Cluster{Role: "both"},
		Log:      Log{Level: "info", Format: "text"},
		Settings: map[string]string{},
	}
}
