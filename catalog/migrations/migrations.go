// Package migrations holds the catalog's schema as goose migrations.
package migrations

import "embed"

// Files are the migrations in order. They run unchanged on SQLite and on PostgreSQL.
//
//go:embed *.sql
var Files embed.FS
