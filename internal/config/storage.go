package config

import (
	"fmt"
	"strings"
)

// S3 says how buckets are reached that have no section of their own.
type S3 struct {
	Endpoint        string   `toml:"endpoint" doc:"URL of an S3 server other than AWS, such as http://127.0.0.1:9000."`
	Region          string   `toml:"region" doc:"Region of the buckets; empty asks AWS_REGION and the shared configuration, and follows AWS when it names another."`
	PathStyle       bool     `toml:"path_style" doc:"The bucket stands in the URL's path instead of the host's name; most servers other than AWS want it."`
	Anonymous       bool     `toml:"anonymous" doc:"Requests are not signed: for public buckets."`
	AccessKeyID     string   `toml:"access_key_id" doc:"Access key; empty takes the AWS chain: environment, shared configuration, web identity, container and instance roles."`
	SecretAccessKey string   `toml:"secret_access_key" doc:"Secret of access_key_id."`
	SessionToken    string   `toml:"session_token" doc:"Session token of temporary keys."`
	Profile         string   `toml:"profile" doc:"Profile of the shared AWS configuration."`
	MaxConnections  int      `toml:"max_connections" doc:"Requests at once to one host; fewer while it asks to slow down."`
	RequestTimeout  Duration `toml:"request_timeout" doc:"Time in which an answer must begin; a late one is repeated."`
	MaxAttempts     int      `toml:"max_attempts" doc:"How often a request is sent that fails for a passing reason."`
	PartSize        Size     `toml:"part_size" doc:"Size of the parts in which larger files are uploaded, at least 5MB; a file being written holds up to five in memory."`
}

// HTTP says which files of web servers SQL may name.
type HTTP struct {
	Enabled        bool     `toml:"enabled" doc:"SQL may name http:// and https:// URLs, for reading."`
	AllowedHosts   []string `toml:"allowed_hosts" doc:"The only hosts that it may name, or *.domain; empty allows all."`
	AllowPrivate   bool     `toml:"allow_private" doc:"URLs may lead to this machine and to private networks; an engine inside a shell allows it."`
	AllowLinkLocal bool     `toml:"allow_link_local" doc:"URLs may lead to link-local addresses, where clouds keep the credentials of their machines."`
	MaxDownload    Size     `toml:"max_download" doc:"Most bytes of a file whose server does not send parts of it: it is copied to a temporary file."`
	RequestTimeout Duration `toml:"request_timeout" doc:"Time in which an answer must begin, and go on."`
}

// Bucket overrides S3 for one bucket; what is not set is taken from there.
type Bucket struct {
	Endpoint        *string   `toml:"endpoint"`
	Region          *string   `toml:"region"`
	PathStyle       *bool     `toml:"path_style"`
	Anonymous       *bool     `toml:"anonymous"`
	AccessKeyID     *string   `toml:"access_key_id"`
	SecretAccessKey *string   `toml:"secret_access_key"`
	SessionToken    *string   `toml:"session_token"`
	Profile         *string   `toml:"profile"`
	MaxConnections  *int      `toml:"max_connections"`
	RequestTimeout  *Duration `toml:"request_timeout"`
	MaxAttempts     *int      `toml:"max_attempts"`
	PartSize        *Size     `toml:"part_size"`
}

// OfBucket gives how a bucket is reached, and the section of the configuration to change for it.
func (s Storage) OfBucket(name string) (merged S3, section string) {
	b, found := s.Buckets[name]
	if !found {
		return s.S3, "storage.s3"
	}
	merged = s.S3
	if b.AccessKeyID != nil || b.Profile != nil { // another identity
		merged.AccessKeyID, merged.SecretAccessKey, merged.SessionToken, merged.Profile, merged.Anonymous = "", "", "", "", false
	}
	override(&merged.Endpoint, b.Endpoint)
	override(&merged.Region, b.Region)
	override(&merged.PathStyle, b.PathStyle)
	override(&merged.Anonymous, b.Anonymous)
	override(&merged.AccessKeyID, b.AccessKeyID)
	override(&merged.SecretAccessKey, b.SecretAccessKey)
	override(&merged.SessionToken, b.SessionToken)
	override(&merged.Profile, b.Profile)
	override(&merged.MaxConnections, b.MaxConnections)
	override(&merged.RequestTimeout, b.RequestTimeout)
	override(&merged.MaxAttempts, b.MaxAttempts)
	override(&merged.PartSize, b.PartSize)
	return merged, "storage.buckets." + name
}

func override[T any](value *T, given *T) {
	if given != nil {
		*value = *given
	}
}

// String shows what a section sets, without secrets.
func (b Bucket) String() string {
	var parts []string
	parts = shown(parts, "endpoint", b.Endpoint)
	parts = shown(parts, "region", b.Region)
	parts = shown(parts, "path_style", b.PathStyle)
	parts = shown(parts, "anonymous", b.Anonymous)
	parts = shown(parts, "access_key_id", b.AccessKeyID)
	parts = shown(parts, "secret_access_key", hidden(b.SecretAccessKey))
	parts = shown(parts, "session_token", hidden(b.SessionToken))
	parts = shown(parts, "profile", b.Profile)
	parts = shown(parts, "max_connections", b.MaxConnections)
	parts = shown(parts, "request_timeout", b.RequestTimeout)
	parts = shown(parts, "max_attempts", b.MaxAttempts)
	parts = shown(parts, "part_size", b.PartSize)
	return "{" + strings.Join(parts, ", ") + "}"
}

// shown adds a key that is set.
func shown[T any](parts []string, name string, value *T) []string {
	if value == nil {
		return parts
	}
	return append(parts, fmt.Sprintf("%s: %v", name, *value))
}

func hidden(secret *string) *string {
	if secret == nil {
		return nil
	}
	stars := "***"
	return &stars
}

// checkStorage refuses values that cannot work.
func (l *Loaded) checkStorage() error {
	names := []string{""}
	for name := range l.Storage.Buckets {
		names = append(names, name)
	}
	for _, name := range names {
		s, section := l.Storage.OfBucket(name)
		switch {
		case s.Endpoint != "" && !strings.HasPrefix(s.Endpoint, "http://") && !strings.HasPrefix(s.Endpoint, "https://"):
			return bad("%s.endpoint: %q must begin with http:// or https://", section, s.Endpoint)
		case (s.AccessKeyID == "") != (s.SecretAccessKey == ""):
			return bad("%s.access_key_id and %s.secret_access_key must be set together", section, section)
		case s.MaxConnections < 1:
			return bad("%s.max_connections must be at least 1", section)
		case s.MaxAttempts < 1:
			return bad("%s.max_attempts must be at least 1", section)
		case s.PartSize < 5<<20:
			return bad("%s.part_size must be at least 5MB", section)
		}
	}
	if h := l.Storage.HTTP; h.MaxDownload < 1 || h.RequestTimeout <= 0 {
		return bad("storage.http.max_download and storage.http.request_timeout must be above 0")
	}
	if scheme, _, found := strings.Cut(l.Storage.Warehouse, "://"); found && scheme != "s3" && scheme != "s3a" && scheme != "s3n" && scheme != "file" {
		return bad("storage.warehouse (%s): %q is neither a directory nor an s3:// URL", l.Origin("storage.warehouse"), l.Storage.Warehouse)
	}
	return nil
}
