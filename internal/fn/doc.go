// Package fn declares what a SQL function is: overloads with their documentation, how a call's
// result type follows from its arguments, and the shapes that implementations have. The
// implementations and the one immutable Registry live in exec/functions; the binder, the constant
// folder and the operators are handed that registry.
//
// Scalar kernels work on whole vectors. The evaluator (exec) removes encodings and applies the
// NullRule before it calls a kernel, so a kernel sees only Flat and Const arguments.
package fn
