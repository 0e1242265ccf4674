// Package memory accounts for the bytes that queries hold.
//
// Pools nest: worker → resource group → query → operator. A reservation counts in every pool up to
// the root and must fit in each one's limit. When it does not fit, the query's largest reclaimable
// operator is asked to spill at its next batch edge; only if none can give back enough does the
// reservation fail with SQLSTATE 53200.
package memory
