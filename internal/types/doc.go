// Package types holds SQL types, constant values (Datum) and 128-bit integers: the words every
// other layer speaks. It knows names, modifiers and text forms of types, not functions or casts.
package types
