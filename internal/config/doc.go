// Package config reads Tarn's configuration: defaults, then tarn.toml, then TARN_SECTION_KEY
// environment variables, then command-line flags. Each value remembers where it came from.
//
// Config is one struct a section; the doc tag of a field is its documentation, printed by
// `tarn config`. A key that does not exist is an error that names the nearest one.
package config
