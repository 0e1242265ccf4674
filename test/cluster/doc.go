// Package cluster runs a coordinator and workers for tests: in one process over loopback HTTP, which
// may be made a bad network (Faults), or as a Fleet of `tarn server` processes that tests kill,
// freeze and start again. After each loss a test asks the live processes what they still hold.
//
// The tests of lost workers take a few queries. TARN_TEST_LOST=sf1 makes them take all 22 of
// TPC-H, killed and frozen each, at that scale, lose workers at more moments of writes, and try more
// bad networks. TARN_TEST_BINARY names a tarn to run instead of one
// built for the test, such as one with -race.
package cluster
