// Package estimate predicts the sizes of logical plans: row counts, distinct values, ranges.
//
// Base facts come from a Statistics provider (catalog, file footers, connectors). Selectivities
// follow the textbook: uniform values inside minimum and maximum, containment of join keys,
// independence of conjuncts softened by exponential back-off. Results are cached by node; an
// Estimator serves one plan on one goroutine.
package estimate
