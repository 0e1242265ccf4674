package functions

import (
	"slices"

	"github.com/tarnlake/tarn/internal/fn"
)

// Registry builds the registry of all built-in functions.
func Registry() *fn.Registry {
	return fn.NewRegistry(slices.Concat(
		integerArithmetic(), floatArithmetic(), decimalArithmetic(), temporalArithmetic(),
		mathFunctions(), exactMath(), numberFormats(), miscFunctions(), conditionalFunctions(),
		patternFunctions(), regexFunctions(), stringFunctions(), binaryFunctions(), dateFunctions(),
		arrayFunctions(), tableFunctions(), jsonFunctions(),
		countAggregates(), sumAggregates(), extremeAggregates(), momentAggregates(), regressionAggregates(), logicAggregates(),
		listAggregates(), pickAggregates(), percentileAggregates(), approximateAggregates(),
		rankingWindows(), valueWindows(),
		catalogFunctions(),
	))
}

// The headings of docs/functions.md.
const (
	categoryArithmetic  = "arithmetic"
	categoryMath        = "math"
	categoryString      = "string"
	categoryPattern     = "pattern matching"
	categoryBinary      = "binary and digests"
	categoryTime        = "date and time"
	categoryConditional = "conditional"
	categoryJSON        = "json"
	categoryArray       = "arrays and maps"
	categoryTable       = "set-returning"
	categoryAggregate   = "aggregates"
	categoryStatistics  = "statistical aggregates"
	categoryWindow      = "window"
	categorySystem      = "system"
)
