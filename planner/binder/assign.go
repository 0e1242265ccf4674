package binder

import "github.com/tarnlake/tarn/internal/types"

// CanAssign tells whether a value of type from may be stored in a column of type to without a cast.
func CanAssign(from, to types.Type) bool { return castRule(from, to) >= assignment }
