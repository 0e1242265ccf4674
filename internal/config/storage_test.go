package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestBuckets(t *testing.T) {
	file := filepath.Join(t.TempDir(), "tarn.toml")
	text := `
[storage]
warehouse = "s3://lake/w"
[storage.s3]
region = "eu-central-1"
access_key_id = "general"
secret_access_key = "general-secret"
[storage.buckets.landing]
endpoint = "http://127.0.0.1:9000"
path_style = true
access_key_id = "landing"
secret_access_key = "landing-secret"
session_token = "token-secret"
max_connections = 3
request_timeout = "5s"
part_size = "6MB"
[storage.buckets.open-data]
anonymous = true
`
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := Load(Sources{File: file, Environment: []string{"TARN_STORAGE_S3_MAX_ATTEMPTS=3"}})
	if err != nil {
		t.Fatal(err)
	}
	other, section := l.Storage.OfBucket("other")
	if section != "storage.s3" || other.AccessKeyID != "general" || other.MaxAttempts != 3 || other.Endpoint != "" {
		t.Errorf("other: %+v in %s", other, section)
	}
	landing, section := l.Storage.OfBucket("landing")
	if section != "storage.buckets.landing" || landing.Endpoint == "" || !landing.PathStyle || landing.AccessKeyID != "landing" ||
		landing.Region != "eu-central-1" || landing.MaxAttempts != 3 {
		t.Errorf("landing: %+v in %s", landing, section)
	}
	if open, _ := l.Storage.OfBucket("open-data"); !open.Anonymous || open.Region != "eu-central-1" {
		t.Errorf("open-data: %+v", open)
	}
	for _, e := range l.Entries() {
		if strings.Contains(e.Value, "-secret") {
			t.Errorf("%s shows a secret: %s", e.Key, e.Value)
		}
		const want = "landing = {endpoint: http://127.0.0.1:9000, path_style: true, access_key_id: landing, secret_access_key: ***, session_token: ***, " +
			"max_connections: 3, request_timeout: 5s, part_size: 6MB}, open-data = {anonymous: true}"
		if e.Key == "storage.buckets" && e.Value != want {
			t.Errorf("storage.buckets = %s", e.Value)
		}
	}
}

func TestStorageIsChecked(t *testing.T) {
	for text, want := range map[string]string{
		"[storage.s3]\nendpoint = \"localhost:9000\"":       "http://",
		"[storage.s3]\naccess_key_id = \"a\"":               "together",
		"[storage.buckets.b]\nsecret_access_key = \"a\"":    "storage.buckets.b.access_key_id",
		"[storage.s3]\npart_size = \"1MB\"":                 "at least 5MB",
		"[storage.buckets.b]\nmax_attempts = 0":             "storage.buckets.b.max_attempts",
		"[storage]\nwarehouse = \"gs://b\"":                 "neither",
		"[storage.s3]\nendpont = \"http://localhost:9000\"": `"storage.s3.endpoint"`,
	} {
		file := filepath.Join(t.TempDir(), "tarn.toml")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Load(Sources{File: file}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}
